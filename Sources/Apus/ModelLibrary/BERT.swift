import ApusGraph

extension ModelLibrary {
    /// The encoder of BERT (Devlin et al. 2018): the sum of token, type and position embeddings, normed, then `layers` encoder
    /// blocks with the norm after each part; with `pooler` the first token of a sequence through a dense layer and tanh.
    ///
    /// Inputs "input_ids" and "attention_mask" [batch, length], i32, 0 in the mask at padding, and, where there are types,
    /// "token_type_ids". Outputs "last_hidden_state" [batch, length, width] and, with `pooler`, "pooler_output" [batch, width].
    /// Layers: token_embedding, type_embedding, position_embedding, embedding_norm, block_0 …, pooler.
    public static func bert(
        vocabulary: Int, length: Int, positions: Int? = nil, width: Int, heads: Int, layers: Int, inner: Int? = nil,
        types: Int = 2, pooler: Bool = true, dropout: Double = 0, activation: Activation = .gelu, epsilon: Double = 1e-12,
        name: String = "bert", seed: UInt64 = 0
    ) throws(ApusError) -> Network {
        guard layers >= 0 else { throw .argument("\(layers) layers, wanted 0 or more") }
        let normal = RandomNormal(deviation: 0.02)
        var options = TransformerOptions(width: width, heads: heads, inner: inner)
        options.feedForward = .plain(activation)
        options.placement = .after
        options.epsilon = epsilon
        options.dropout = dropout
        options.kernelInitializer = normal
        let tokens = Input([length], dtype: .i32, name: "input_ids"), mask = Input([length], dtype: .i32, name: "attention_mask")
        var inputs = [tokens, mask]
        var x = Embedding(vocabulary, width, initializer: normal, name: "token_embedding")(tokens)
        if types > 0 {
            inputs.append(Input([length], dtype: .i32, name: "token_type_ids"))
            let kinds = Embedding(types, width, initializer: normal, name: "type_embedding")(inputs[2])
            x = Add(name: "embedding_sum")(x, kinds)
        }
        x = PositionEmbedding(positions ?? length, initializer: normal, name: "position_embedding")(x)
        x = options.norm(name: "embedding_norm")(x)
        if dropout > 0 { x = Dropout(dropout, name: "dropout")(x) }
        for layer in 0..<layers { x = EncoderBlock(options, name: "block_\(layer)")(x, mask) }
        var outputs = [x], names = ["last_hidden_state"]
        if pooler {
            let first = SequenceElement(0, name: "first")(x)
            outputs.append(Dense(width, activation: .tanh, kernelInitializer: normal, name: "pooler")(first))
            names.append("pooler_output")
        }
        return try Network(inputs: inputs, outputs: outputs, outputNames: names, name: name, seed: seed)
    }
}
