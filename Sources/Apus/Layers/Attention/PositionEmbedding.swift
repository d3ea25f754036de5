import ApusGraph

/// y = x + the row of a learned table for each position of the sequence (Gehring et al. 2017).
///
/// x [batch, time, width] of at most `length` elements; in a stream, positions from `length` on get zeros. Parameter: embeddings
/// [length, width].
public final class PositionEmbedding: Layer {
    public let length: Int
    private let initializer: any Initializer

    public init(_ length: Int, initializer: any Initializer = RandomNormal(deviation: 0.02), name: String = "") {
        self.length = length
        self.initializer = initializer
        super.init(name: name)
    }

    public override var runsStepByStep: Bool { true }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try sequence(inputs)
        guard length > 0 else { throw .argument("\(length) positions, wanted 1 or more") }
        let table = try context.parameter("embeddings", [length, x.shape.last], initializer)
        return [try context(.add, x, try context.rows(of: table, along: x))]
    }
}
