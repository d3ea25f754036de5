import ApusGraph

/// Some samples of a source, in an order of their own.
public struct SourcePart: SampleSource {
    private let source: any SampleSource
    private let indices: [Int]

    public var count: Int { indices.count }
    public var inputFields: [SampleField] { source.inputFields }
    public var targetFields: [SampleField] { source.targetFields }
    public var classNames: [String] { source.classNames }
    public var hasWeights: Bool { source.hasWeights }

    fileprivate init(_ source: any SampleSource, _ indices: [Int]) {
        self.source = source
        self.indices = indices
    }

    public func rows(_ indices: [Int]) throws(ApusError) -> Dataset { try source.rows(try places(indices)) }

    public func targetRows(_ indices: [Int]) throws(ApusError) -> [NamedTensor] { try source.targetRows(try places(indices)) }

    public func numbered(by names: [String]) throws(ApusError) -> any SampleSource {
        SourcePart(try source.numbered(by: names), indices)
    }

    private func places(_ indices: [Int]) throws(ApusError) -> [Int] {
        try checkIndices(indices)
        return indices.map { self.indices[$0] }
    }
}

/// The samples of a source, changed as they are read.
public struct MappedSource: SampleSource {
    private let source: any SampleSource
    private let change: @Sendable (Dataset) throws(ApusError) -> Dataset
    public let inputFields: [SampleField]
    public let targetFields: [SampleField]
    public let classNames: [String]
    public let hasWeights: Bool

    public var count: Int { source.count }

    fileprivate init(
        _ source: any SampleSource, _ change: @escaping @Sendable (Dataset) throws(ApusError) -> Dataset
    ) throws(ApusError) {
        self.source = source
        self.change = change
        guard source.count > 0 else { throw .argument("a source of 0 samples to change, wanted 1 or more") }
        let first = try change(try source.checkedRows([0]))
        (inputFields, targetFields, hasWeights) = (first.inputFields, first.targetFields, first.hasWeights)
        classNames = first.classNames.isEmpty ? source.classNames : first.classNames
    }

    public func rows(_ indices: [Int]) throws(ApusError) -> Dataset { try change(try source.checkedRows(indices)) }
}

extension SampleSource {
    /// The samples of the given indices as a source of their own.
    ///
    /// - Throws: `.invalidArgument` for an index outside the samples.
    public func part(_ indices: [Int]) throws(ApusError) -> SourcePart {
        try checkIndices(indices)
        return SourcePart(self, indices)
    }

    /// The samples changed as they are read, a batch at a time. Each sample must become what it would alone; the first is read
    /// at once, for the fields.
    public func mapped(
        _ change: @escaping @Sendable (Dataset) throws(ApusError) -> Dataset
    ) throws(ApusError) -> MappedSource {
        try MappedSource(self, change)
    }

    /// Parts of different samples, drawn as those of `Dataset.split`.
    ///
    /// - Throws: `.invalidArgument` if one of the two would be empty.
    public func split(
        validation fraction: Double, seed: UInt64
    ) throws(ApusError) -> (training: SourcePart, validation: SourcePart) {
        let (training, held) = try SampleRandom.split(count, validation: fraction, seed: seed)
        return (SourcePart(self, training), SourcePart(self, held))
    }

    /// Every input under the map, as f32.
    public func normalized(by normalization: Normalization) throws(ApusError) -> MappedSource {
        try mapped { rows throws(ApusError) in try rows.normalized(by: normalization) }
    }

    /// Every input times `scale`, as f32; 1/255 brings bytes to 0...1.
    public func scaled(by scale: Float) throws(ApusError) -> MappedSource {
        try normalized(by: Normalization(scale: scale))
    }

    func checkIndices(_ indices: [Int]) throws(ApusError) {
        if let stray = indices.first(where: { $0 < 0 || $0 >= count }) {
            throw .argument("sample \(stray) is outside 0..<\(count)")
        }
    }
}

extension SampleRandom {
    /// The indices of `count` samples in two parts: round(count · fraction) of them, drawn by `seed`, are the second.
    static func split(
        _ count: Int, validation fraction: Double, seed: UInt64
    ) throws(ApusError) -> (training: [Int], validation: [Int]) {
        let held = fraction > 0 && fraction < 1 ? Int((Double(count) * fraction).rounded()) : 0
        guard held > 0, held < count else {
            throw .argument("cannot hold back \(fraction) of \(count) samples, wanted a part that leaves both some")
        }
        var random = SampleRandom(.split, seed: seed)
        let order = random.permutation(count)
        return (Array(order.dropLast(held)), Array(order.suffix(held)))
    }
}
