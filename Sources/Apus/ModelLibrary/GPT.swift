import ApusGraph

extension ModelLibrary {
    /// A language model in the manner of GPT-2 (Radford et al. 2019): token and position embeddings, `layers` decoder blocks
    /// with the norm before each part, a last norm, and scores over the vocabulary with the table of the embedding or, where
    /// `tied` is false, a table of their own. With `rotary` positions there is no table of positions, and a stream may be longer
    /// than the context.
    ///
    /// Input "tokens" [batch, context], i32; output "logits" [batch, context, vocabulary] of what comes next: train it with
    /// `SparseCategoricalCrossEntropy(fromLogits: true)` on the tokens that follow. Kernels start as GPT-2's: normal of
    /// deviation 0.02, those whose result is added to the stream by √(2·layers) smaller. Layers: token_embedding,
    /// position_embedding, block_0 …, final_norm, logits.
    ///
    /// - Parameters:
    ///   - positions: of the table, `context` or more; `context` by default.
    ///   - attentionScale: of the scores of a layer, by its index; 1 / √(width / heads) by default.
    public static func gpt(
        vocabulary: Int, context: Int, positions: Int? = nil, width: Int, heads: Int, layers: Int, inner: Int? = nil,
        dropout: Double = 0, activation: Activation = .geluTanh, epsilon: Double = 1e-5, tied: Bool = true,
        rotary: RotaryPositions? = nil, attentionScale: ((Int) -> Double)? = nil, name: String = "gpt", seed: UInt64 = 0
    ) throws(ApusError) -> Network {
        guard layers >= 0 else { throw .argument("\(layers) layers, wanted 0 or more") }
        let normal = RandomNormal(deviation: 0.02)
        var options = TransformerOptions(width: width, heads: heads, inner: inner)
        options.feedForward = .plain(activation)
        options.epsilon = epsilon
        options.dropout = dropout
        options.rotary = rotary
        options.kernelInitializer = normal
        options.residualInitializer = RandomNormal(deviation: 0.02 / Double(2 * max(1, layers)).squareRoot())
        let tokens = Input([context], dtype: .i32, name: "tokens")
        let embedding = Embedding(vocabulary, width, initializer: normal, name: "token_embedding")
        var x = embedding(tokens)
        if rotary == nil { x = PositionEmbedding(positions ?? context, initializer: normal, name: "position_embedding")(x) }
        if dropout > 0 { x = Dropout(dropout, name: "dropout")(x) }
        for layer in 0..<layers {
            options.attentionScale = attentionScale?(layer)
            x = DecoderBlock(options, name: "block_\(layer)")(x)
        }
        x = options.norm(name: "final_norm")(x)
        let head = tied
            ? TiedDense(embedding, name: "logits") : Dense(vocabulary, usesBias: false, kernelInitializer: normal, name: "logits")
        return try Network(inputs: [tokens], outputs: [head(x)], outputNames: ["logits"], name: name, seed: seed)
    }
}
