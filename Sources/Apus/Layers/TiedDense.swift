import ApusGraph

/// Scores over the vocabulary of an embedding, with its own table: y = x·Eᵀ (Press and Wolf 2017). It owns no parameter.
public final class TiedDense: Layer {
    public let embedding: Embedding

    /// `embedding` stands before it in the network.
    public init(_ embedding: Embedding, name: String = "") {
        self.embedding = embedding
        super.init(name: name)
    }

    public override var runsStepByStep: Bool { true }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try onlyInput(inputs)
        let table = try context.parameter("embeddings", of: embedding)
        if context.phase == .training && !context.isQuantizationAware {
            return [try context(MatMul(transposeB: true), x, table)]
        }
        // What ships keeps the transpose, which is a constant, as products want it.
        return [try context(ApusGraph.Dense(hasBias: false), x, try context.builder(Transpose([1, 0]), table))]
    }
}
