import ApusGraph

/// A row of a table for every index: [batch, time] of integers becomes [batch, time, units]. Negative indices count from the end.
/// Of an input of the network, which it reads as it is or through `Reshape`, `Flatten` and `Permute`, an index outside
/// −vocabulary ..< vocabulary is refused where the network is trained, evaluated or predicts; elsewhere, as behind other layers and
/// in the exported file, it gives zeros.
///
/// With `maskZero`, index 0 is padding: the layers after it that read lengths take a sequence to end with its last other index.
/// In a step, where nothing is padded, 0 is an index as any other.
///
/// Parameter: embeddings [vocabulary, units].
public final class Embedding: Layer {
    public let vocabulary: Int
    public let units: Int
    public let maskZero: Bool
    private let initializer: any Initializer
    private let regularizer: (any Regularizer)?

    public init(
        _ vocabulary: Int, _ units: Int, maskZero: Bool = false, initializer: any Initializer = RandomUniform(),
        regularizer: (any Regularizer)? = nil, name: String = ""
    ) {
        self.vocabulary = vocabulary
        self.units = units
        self.maskZero = maskZero
        self.initializer = initializer
        self.regularizer = regularizer
        super.init(name: name)
    }

    public override var runsStepByStep: Bool { true }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let ids = try onlyInput(inputs)
        guard vocabulary > 0, units > 0 else {
            throw .argument("a table of \(vocabulary) × \(units), wanted 1 × 1 or more")
        }
        let table = try context.parameter("embeddings", [vocabulary, units], initializer, regularizer: regularizer)
        let y = try context(Gather(), table, ids)
        if maskZero, context.phase != .step { context.setLengths(of: y, try lengths(ids, context)) }
        return [y]
    }

    /// The place after the last index that is not 0: max over t of (t + 1)·(ids[t] ≠ 0).
    private func lengths(_ ids: Value, _ context: LayerContext) throws(ApusError) -> Value {
        guard ids.shape.rank == 2 else { throw .shape("masked indices \(ids.type), wanted [batch, time]") }
        let zero = try context.builder.scalar(0, ids.type.dtype)
        let isWord = try context(Cast(.i32), try context(.notEqual, ids, zero))
        let time = max(1, ids.shape[1])
        let place = context.constant("places_\(time)", try Tensor((1...time).map { Int32($0) }))
        return try context(Reduction(.max, axes: [1]), try context(.mul, isWord, place))
    }
}
