import ApusGraph

/// The encoder of BERT (Devlin et al. 2018), and of DistilBERT (Sanh et al. 2019), which names its tensors otherwise and
/// has neither types of tokens nor a pooler.
///
/// Outputs: "last_hidden_state" [batch, tokens, width]; "pooler_output" [batch, width] where the checkpoint has one.
struct BertModel: CheckpointModel {
    let anchor = "embeddings.word_embeddings.weight"
    let vocabulary: Int
    let positions: Int
    /// How many types of tokens; 0: none.
    let types: Int
    let width: Int
    let inner: Int
    let layers: Int
    let heads: Int
    let activation: Activation
    let epsilon: Float
    let names: Names

    var moreInputs: [String] { types > 0 ? ["token_type_ids"] : [] }

    var layerName: String { names.layer }
    let repeated: [String: String] = [:]

    /// The names of a layer's parts.
    struct Names {
        let layer, query, key, value, attended, attentionNorm, expanded, contracted, norm: String

        static let bert = Names(
            layer: "encoder.layer", query: "attention.self.query", key: "attention.self.key",
            value: "attention.self.value", attended: "attention.output.dense",
            attentionNorm: "attention.output.LayerNorm", expanded: "intermediate.dense", contracted: "output.dense",
            norm: "output.LayerNorm")
        static let distilbert = Names(
            layer: "transformer.layer", query: "attention.q_lin", key: "attention.k_lin", value: "attention.v_lin",
            attended: "attention.out_lin", attentionNorm: "sa_layer_norm", expanded: "ffn.lin1", contracted: "ffn.lin2",
            norm: "output_layer_norm")
    }

    // MARK: config.json

    init(bert folder: CheckpointFolder) throws(ApusError) {
        struct Config: Decodable {
            let vocabSize, hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads, maxPositionEmbeddings: Int
            let typeVocabSize: Int?
            let hiddenAct: String?
            let layerNormEps: Float?
            let positionEmbeddingType: String?
            let isDecoder, addCrossAttention: Bool?
        }
        let c = try folder.json(Config.self, "config.json")
        let check = ConfigCheck(folder)
        try check.require("position_embedding_type", c.positionEmbeddingType ?? "absolute", isOneOf: ["absolute"])
        try check.require("is_decoder", c.isDecoder ?? false, isOneOf: [false])
        try check.require("add_cross_attention", c.addCrossAttention ?? false, isOneOf: [false])
        vocabulary = try check.extent("vocab_size", c.vocabSize)
        positions = try check.extent("max_position_embeddings", c.maxPositionEmbeddings)
        types = try check.extent("type_vocab_size", c.typeVocabSize ?? 2)
        width = try check.extent("hidden_size", c.hiddenSize)
        inner = try check.extent("intermediate_size", c.intermediateSize)
        layers = try check.layers("num_hidden_layers", c.numHiddenLayers)
        heads = try check.heads("num_attention_heads", c.numAttentionHeads, width: width)
        activation = try check.activation("hidden_act", c.hiddenAct ?? "gelu")
        epsilon = try check.epsilon("layer_norm_eps", c.layerNormEps ?? 1e-12)
        names = .bert
    }

    init(distilbert folder: CheckpointFolder) throws(ApusError) {
        struct Config: Decodable {
            let vocabSize, dim, hiddenDim, nLayers, nHeads, maxPositionEmbeddings: Int
            let activation: String?
        }
        let c = try folder.json(Config.self, "config.json")
        let check = ConfigCheck(folder)
        vocabulary = try check.extent("vocab_size", c.vocabSize)
        positions = try check.extent("max_position_embeddings", c.maxPositionEmbeddings)
        types = 0
        width = try check.extent("dim", c.dim)
        inner = try check.extent("hidden_dim", c.hiddenDim)
        layers = try check.layers("n_layers", c.nLayers)
        heads = try check.heads("n_heads", c.nHeads, width: width)
        activation = try check.activation("activation", c.activation ?? "gelu")
        epsilon = 1e-12
        names = .distilbert
    }

    // MARK: The network

    func emit(_ c: CheckpointBuilder, _ inputs: [Term]) throws(ApusError) -> [(name: String, term: Term)] {
        let g = c.g, ids = inputs[0]
        c.g.builder.prefix = "embeddings/"
        let places = try g.range(ids.extents(1))
        var x = try c.embedding(ids, "embeddings.word_embeddings", vocabulary, width)
        if types > 0 { x = try g.add(x, try c.embedding(inputs[2], "embeddings.token_type_embeddings", types, width)) }
        x = try g.add(x, try c.embedding(places, "embeddings.position_embeddings", positions, width))
        x = try c.layerNorm(x, "embeddings.LayerNorm", epsilon: epsilon)
        c.g.builder.prefix = "attention_mask/"
        let bias = try g.penalty(allowed: try g.unsqueeze(try g.isNonzero(inputs[1]), [1, 2]), .f32, forbidden: -Double(Float.greatestFiniteMagnitude))
        for layer in 0..<layers { x = try emitLayer(c, x, bias, "\(names.layer).\(layer)") }
        var outputs = [("last_hidden_state", x)]
        if c.tensors.has("pooler.dense.weight") {
            let first = try g.reshape(try g.slice(x, axis: 1, 0, 1), to: x.shapes.map { [$0[0], $0[2]] })
            outputs.append(("pooler_output", try g.tanh(try c.linear(first, "pooler.dense", to: width))))
        }
        return outputs
    }

    /// x ← norm(x + attention(x)), then x ← norm(x + feed-forward(x)).
    private func emitLayer(_ c: CheckpointBuilder, _ x: Term, _ bias: Term, _ layer: String) throws(ApusError) -> Term {
        func projected(_ name: String) throws(ApusError) -> Term {
            try c.g.heads(try c.linear(x, "\(layer).\(name)", to: width), heads)
        }
        let mixed = try c.g.attention(try projected(names.query), try projected(names.key), try projected(names.value), bias)
        let attended = try c.linear(try c.g.merged(mixed), "\(layer).\(names.attended)", to: width)
        let y = try c.layerNorm(try c.g.add(attended, x), "\(layer).\(names.attentionNorm)", epsilon: epsilon)
        let expanded = try c.g.activation(activation, try c.linear(y, "\(layer).\(names.expanded)", to: inner))
        let contracted = try c.linear(expanded, "\(layer).\(names.contracted)", to: width)
        return try c.layerNorm(try c.g.add(contracted, y), "\(layer).\(names.norm)", epsilon: epsilon)
    }
}
