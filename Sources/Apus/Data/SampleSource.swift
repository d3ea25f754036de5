import ApusGraph

/// What the samples of a source have under one name: n samples are a tensor of the type `dtype`, [n] + shape.
public struct SampleField: Sendable, Equatable {
    public let name: String
    public let dtype: DType
    /// Of one sample.
    public let shape: [Int]

    public init(_ name: String, _ dtype: DType, _ shape: [Int]) {
        self.name = name
        self.dtype = dtype
        self.shape = shape
    }
}

/// Samples that are read when they are needed, so that they may be more than memory holds. Whatever takes a source gives the same
/// bytes as with the same samples in a `Dataset`, which is a source too.
///
///     struct Clips: SampleSource {
///         let paths: [String], labels: [Int32]
///         let inputFields = [SampleField("input", .f32, [16_000])], targetFields = [SampleField("target", .i32, [])]
///         var count: Int { paths.count }
///         func rows(_ indices: [Int]) throws(ApusError) -> Dataset {
///             try Dataset(
///                 inputs: .concatenated(indices.map { index throws(ApusError) in try clip(paths[index]) }),
///                 targets: Tensor(indices.map { labels[$0] }))
///         }
///     }
///
/// Batches are made ahead on a thread of their own, so samples are read while the ones before are trained on.
public protocol SampleSource: Sendable {
    /// The number of samples.
    var count: Int { get }
    var inputFields: [SampleField] { get }
    var targetFields: [SampleField] { get }
    /// The names of the classes that the targets count, or nothing.
    var classNames: [String] { get }
    /// Whether samples have weights, `Dataset.weights`; by default they have none.
    var hasWeights: Bool { get }

    /// The samples of the given indices in their order, as the fields say; an index may come more than once. The same index
    /// gives the same sample, on any thread. What it throws ends what asked for them, and should name the file.
    func rows(_ indices: [Int]) throws(ApusError) -> Dataset

    /// The targets of `rows` alone, which may cost less.
    func targetRows(_ indices: [Int]) throws(ApusError) -> [NamedTensor]

    /// The same samples, the classes of their targets numbered as in `names`, as `Dataset.renumbered` does it.
    func numbered(by names: [String]) throws(ApusError) -> any SampleSource
}

extension SampleSource {
    public var classNames: [String] { [] }
    public var hasWeights: Bool { false }

    public func targetRows(_ indices: [Int]) throws(ApusError) -> [NamedTensor] { try rows(indices).targets }

    /// A class that `names` lacks is an error once a sample of it is read.
    public func numbered(by names: [String]) throws(ApusError) -> any SampleSource {
        let own = classNames
        guard !names.isEmpty, !own.isEmpty, names != own else { return self }
        return try mapped { rows throws(ApusError) in
            try Dataset(inputs: rows.inputs, targets: rows.targets, weights: rows.weights, classNames: own).renumbered(to: names)
        }
    }

    /// The rows, once they are what the fields say.
    func checkedRows(_ indices: [Int]) throws(ApusError) -> Dataset {
        let rows = try rows(indices)
        guard rows.hasWeights == hasWeights else {
            throw .argument("a source gave samples \(hasWeights ? "without" : "with") weights, wanted hasWeights to say so")
        }
        for (what, fields, tensors) in [("inputs", inputFields, rows.inputs), ("targets", targetFields, rows.targets)] {
            guard fields.count == tensors.count else {
                throw .shape("a source gave \(tensors.count) \(what), wanted \(fields.count)")
            }
            for (field, found) in zip(fields, tensors) {
                let wanted = [indices.count] + field.shape
                guard found.name == field.name, found.tensor.dtype == field.dtype, found.tensor.shape == wanted else {
                    throw .shape(
                        "a source gave \"\(found.name)\" \(found.tensor) for \(indices.count) samples, wanted "
                            + "\"\(field.name)\" \(field.dtype.name) \(wanted)")
                }
            }
        }
        return rows
    }
}

extension Dataset: SampleSource {
    public var inputFields: [SampleField] { Dataset.fields(inputs) }
    public var targetFields: [SampleField] { Dataset.fields(targets) }
    public var hasWeights: Bool { weights != nil }

    public func targetRows(_ indices: [Int]) throws(ApusError) -> [NamedTensor] {
        var result: [NamedTensor] = []
        for target in targets { result.append(NamedTensor(target.name, try target.tensor.rows(indices))) }
        return result
    }

    public func numbered(by names: [String]) throws(ApusError) -> any SampleSource { try renumbered(to: names) }

    static func fields(_ tensors: [NamedTensor]) -> [SampleField] {
        tensors.map { SampleField($0.name, $0.tensor.dtype, Array($0.tensor.shape.dropFirst())) }
    }
}
