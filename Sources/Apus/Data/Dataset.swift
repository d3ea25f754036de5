import ApusGraph

/// A tensor and the name of the model's input or output it belongs to.
public struct NamedTensor: Sendable, Equatable {
    public var name: String
    public var tensor: Tensor

    public init(_ name: String, _ tensor: Tensor) {
        self.name = name
        self.tensor = tensor
    }
}

/// Samples in memory: the rows of one or more inputs and of the targets that belong to them.
public struct Dataset: Sendable, Equatable {
    public let inputs: [NamedTensor]
    public let targets: [NamedTensor]
    /// What each sample counts in the loss, f32 [N], for each output the same; nil: 1. Metrics count all samples alike.
    public let weights: Tensor?
    /// The names of the classes that the targets count, or nothing.
    public let classNames: [String]
    /// The number of samples: the rows of every tensor.
    public let count: Int

    /// - Throws: `.badShape` unless there is an input and all tensors have equally many rows, `.invalidArgument` for a
    ///   name that comes twice among the inputs or among the targets and for a weight that is negative or not finite.
    public init(
        inputs: [NamedTensor], targets: [NamedTensor], weights: Tensor? = nil, classNames: [String] = []
    ) throws(ApusError) {
        guard let first = inputs.first else { throw .shape("a dataset has no input, wanted one or more") }
        for named in inputs + targets {
            guard !named.tensor.shape.isEmpty, named.tensor.rowCount == first.tensor.rowCount else {
                throw .shape("\"\(named.name)\" is \(named.tensor), wanted \(first.tensor.rowCount) rows "
                    + "as \"\(first.name)\" has")
            }
        }
        for names in [inputs.map(\.name), targets.map(\.name)] where Set(names).count < names.count {
            throw .argument("a name comes twice among \(names)")
        }
        if let weights { try Dataset.check(weights, samples: first.tensor.rowCount) }
        self.inputs = inputs
        self.targets = targets
        self.weights = weights
        self.classNames = classNames
        count = first.tensor.rowCount
    }

    /// A dataset of one tensor each, named "input" and "target".
    public init(inputs: Tensor, targets: Tensor, weights: Tensor? = nil, classNames: [String] = []) throws(ApusError) {
        try self.init(
            inputs: [NamedTensor("input", inputs)], targets: [NamedTensor("target", targets)], weights: weights,
            classNames: classNames)
    }

    private static func check(_ weights: Tensor, samples: Int) throws(ApusError) {
        guard weights.dtype == .f32, weights.shape == [samples] else {
            throw .shape("weights of samples are \(weights), wanted f32 [\(samples)]")
        }
        try weights.withUnsafeScalars(of: Float.self) { weights throws(ApusError) in
            guard let sample = weights.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) else { return }
            throw .argument("sample \(sample) weighs \(weights[sample]), wanted a finite weight of 0 or more")
        }
    }

    public func rows(_ range: Range<Int>) throws(ApusError) -> Dataset {
        try map { tensor throws(ApusError) in try tensor.rows(range) }
    }

    public func rows(_ indices: [Int]) throws(ApusError) -> Dataset {
        try map { tensor throws(ApusError) in try tensor.rows(indices) }
    }

    /// Two datasets of different samples: round(count · fraction) of them, drawn by `seed`, to validate on, and the
    /// others to train on.
    ///
    /// - Throws: `.invalidArgument` if one of the two would be empty.
    public func split(
        validation fraction: Double, seed: UInt64
    ) throws(ApusError) -> (training: Dataset, validation: Dataset) {
        let (training, held) = try SampleRandom.split(count, validation: fraction, seed: seed)
        return (try rows(training), try rows(held))
    }

    /// The same dataset with integer targets i of shape [N] or [N, 1] as f32 rows [N, classes], 1 at i and 0 elsewhere.
    ///
    /// - Throws: `.badShape` for other targets, `.invalidArgument` for fewer than one class and for a class outside 0 ..< classes.
    public func oneHot(classes: Int) throws(ApusError) -> Dataset {
        guard classes >= 1 else { throw .argument("one-hot rows of \(classes) classes, wanted 1 or more") }
        var changed: [NamedTensor] = []
        for target in targets {
            guard target.tensor.dtype.isInteger, target.tensor.count == count else {
                throw .shape("\"\(target.name)\" is \(target.tensor), wanted one class index a sample")
            }
            let size = classes.multipliedReportingOverflow(by: count)
            guard !size.overflow else { throw .shape("\(classes) classes are too many") }
            var rows = try Tensor.zeros(.f32, shape: [count, classes])
            let indices = try target.tensor.doubles()
            try rows.withUnsafeMutableScalars(of: Float.self) { rows throws(ApusError) in
                for (sample, index) in indices.enumerated() {
                    guard index >= 0, index < Double(classes) else {
                        throw .argument("sample \(sample) is of class \(Int(index)), wanted 0 to \(classes - 1)")
                    }
                    rows[sample * classes + Int(index)] = 1
                }
            }
            changed.append(NamedTensor(target.name, rows))
        }
        return try Dataset(inputs: inputs, targets: changed, weights: weights, classNames: classNames)
    }

    /// The same samples, the classes of their targets numbered as in `names`; as it is where there are no names on one side.
    /// A name that `names` lacks may be a class's number there. Targets that stand for no class, such as padding, stay.
    ///
    /// - Throws: `.invalidArgument` for a sample of a class that `names` lacks, `.badShape` for targets that are not integers.
    public func renumbered(to names: [String]) throws(ApusError) -> Dataset {
        guard !names.isEmpty, !classNames.isEmpty, names != classNames else { return self }
        let numbers = Dictionary(names.enumerated().map { ($1, Int32($0)) }, uniquingKeysWith: { first, _ in first })
        var changed: [NamedTensor] = []
        for target in targets {
            guard target.tensor.dtype.isInteger else {
                throw .shape("\"\(target.name)\" is \(target.tensor), wanted class indices")
            }
            var indices = try target.tensor.converted(to: .i32).array(of: Int32.self)
            for i in indices.indices where classNames.indices.contains(Int(indices[i])) {
                let name = classNames[Int(indices[i])]
                guard let number = numbers[name] ?? Int32(name).flatMap({ names.indices.contains(Int($0)) ? $0 : nil }) else {
                    throw .argument("class '\(name)', wanted one of \(names.joined(separator: ", "))")
                }
                indices[i] = number
            }
            changed.append(NamedTensor(target.name, try Tensor(indices, shape: target.tensor.shape)))
        }
        return try Dataset(inputs: inputs, targets: changed, weights: weights, classNames: names)
    }

    /// The same samples with the input tensors changed row by row.
    public func mapInputs(_ change: (NamedTensor) throws(ApusError) -> Tensor) throws(ApusError) -> Dataset {
        var changed: [NamedTensor] = []
        for input in inputs { changed.append(NamedTensor(input.name, try change(input))) }
        return try Dataset(inputs: changed, targets: targets, weights: weights, classNames: classNames)
    }

    private func map(_ change: (Tensor) throws(ApusError) -> Tensor) throws(ApusError) -> Dataset {
        func changed(_ tensors: [NamedTensor]) throws(ApusError) -> [NamedTensor] {
            var result: [NamedTensor] = []
            for named in tensors { result.append(NamedTensor(named.name, try change(named.tensor))) }
            return result
        }
        return try Dataset(
            inputs: changed(inputs), targets: changed(targets), weights: weights.map(change), classNames: classNames)
    }
}
