import ApusGraph

/// The decoder of GPT-2 (Radford et al. 2019) with its language model head: the next token's logits at every place.
///
/// Output: "logits" [batch, tokens, vocabulary]. A place attends to itself and those before it that are no padding.
struct Gpt2Model: CheckpointModel {
    let anchor = "wte.weight"
    let vocabulary: Int
    let positions: Int
    let moreInputs: [String] = []
    let layerName = "h"
    var repeated: [String: String] { isTied ? ["lm_head.weight": anchor] : [:] }
    let width: Int
    let inner: Int
    let layers: Int
    let heads: Int
    let activation: Activation
    let epsilon: Float
    let isTied: Bool
    let scalesByLayer: Bool
    let scales: Bool

    init(_ folder: CheckpointFolder) throws(ApusError) {
        struct Config: Decodable {
            let vocabSize, nEmbd, nLayer, nHead, nPositions: Int
            let nInner: Int?
            let activationFunction: String?
            let layerNormEpsilon: Float?
            let tieWordEmbeddings, scaleAttnWeights, scaleAttnByInverseLayerIdx, addCrossAttention: Bool?
        }
        let c = try folder.json(Config.self, "config.json")
        let check = ConfigCheck(folder)
        try check.require("add_cross_attention", c.addCrossAttention ?? false, isOneOf: [false])
        vocabulary = try check.extent("vocab_size", c.vocabSize)
        positions = try check.extent("n_positions", c.nPositions)
        width = try check.extent("n_embd", c.nEmbd)
        inner = try check.extent("n_inner", c.nInner ?? 4 * width)
        layers = try check.layers("n_layer", c.nLayer)
        heads = try check.heads("n_head", c.nHead, width: width)
        activation = try check.activation("activation_function", c.activationFunction ?? "gelu_new")
        epsilon = try check.epsilon("layer_norm_epsilon", c.layerNormEpsilon ?? 1e-5)
        isTied = c.tieWordEmbeddings ?? true
        scales = c.scaleAttnWeights ?? true
        scalesByLayer = c.scaleAttnByInverseLayerIdx ?? false
    }

    func emit(_ c: CheckpointBuilder, _ inputs: [Term]) throws(ApusError) -> [(name: String, term: Term)] {
        let g = c.g, ids = inputs[0]
        g.builder.prefix = "wpe/"
        let places = try g.range(ids.extents(1))
        var x = try g.add(
            try c.embedding(ids, "wte", vocabulary, width), try c.embedding(places, "wpe", positions, width))
        g.builder.prefix = "attention_mask/"
        let causal = try g.lessOrEqual(try g.unsqueeze(places, [0]), try g.unsqueeze(places, [1]))
        let allowed = try g.and(try g.unsqueeze(try g.isNonzero(inputs[1]), [1, 2]), causal)
        let bias = try g.penalty(allowed: allowed, .f32, forbidden: -Double(Float.greatestFiniteMagnitude))
        for layer in 0..<layers { x = try emitLayer(c, x, bias, layer) }
        x = try c.layerNorm(x, "ln_f", epsilon: epsilon)
        let table = try c.tensors.tensor(isTied ? "wte.weight" : "lm_head.weight", [vocabulary, width])
        g.builder.prefix = "lm_head/"
        return [("logits", try g(Dense(hasBias: false), x, g.constant(table.transposed())))]
    }

    /// Of the scores of a layer.
    func scale(_ layer: Int) -> Double {
        let scale = scales ? 1 / Double(width / heads).squareRoot() : 1
        return scalesByLayer ? scale / Double(layer + 1) : scale
    }

    /// x ← x + attention(norm(x)), then x ← x + feed-forward(norm(x)).
    private func emitLayer(_ c: CheckpointBuilder, _ x: Term, _ bias: Term, _ index: Int) throws(ApusError) -> Term {
        let layer = "h.\(index)", g = c.g
        let joint = try c.conv1D(
            try c.layerNorm(x, "\(layer).ln_1", epsilon: epsilon), "\(layer).attn.c_attn", to: 3 * width)
        let parts = try g.split(joint, axis: 2, [width, width, width])
        let mixed = try g.attention(
            try g.heads(parts[0], heads), try g.heads(parts[1], heads), try g.heads(parts[2], heads), bias, scale: scale(index))
        let attended = try g.add(try c.conv1D(try g.merged(mixed), "\(layer).attn.c_proj", to: width), x)
        let expanded = try g.activation(
            activation,
            try c.conv1D(try c.layerNorm(attended, "\(layer).ln_2", epsilon: epsilon), "\(layer).mlp.c_fc", to: inner))
        return try g.add(try c.conv1D(expanded, "\(layer).mlp.c_proj", to: width), attended)
    }
}
