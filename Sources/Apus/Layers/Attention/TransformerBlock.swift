import ApusGraph

/// Attention and what follows it, each with a norm and a shortcut around it.
///
/// It owns nothing itself: in the network stand its layers, named "NAME/part" where the block has a name.
public class TransformerBlock: Layer {
    public let options: TransformerOptions
    private var parts: [String: Layer] = [:]

    init(_ options: TransformerOptions, name: String) {
        self.options = options
        super.init(name: name)
    }

    /// A part, made by its name the first time, so that calls of the block share their weights.
    private func part(_ part: String, _ make: (String) -> Layer) -> Layer {
        if let layer = parts[part] { return layer }
        let layer = make(name.isEmpty ? "" : "\(name)/\(part)")
        parts[part] = layer
        return layer
    }

    /// Reached where there is no input to build upon.
    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        throw .argument("\(inputs.count) inputs, wanted x [batch, time, width]")
    }

    final func attention(_ name: String, causal: Bool, rotary: RotaryPositions?) -> Layer {
        part(name) {
            MultiHeadAttention(
                heads: options.heads, keyValueHeads: options.keyValueHeads, causal: causal, rotary: rotary,
                usesBias: options.usesBias, scale: options.attentionScale, kernelInitializer: options.kernelInitializer,
                outputInitializer: options.residualInitializer, name: $0)
        }
    }

    /// x and what a part makes of it together, with the norm in its place.
    final func around(_ x: SymbolicTensor, _ name: String, _ body: (SymbolicTensor) -> SymbolicTensor) -> SymbolicTensor {
        let norm = part("\(name)_norm") { options.norm(name: $0) }, sum = part("\(name)_sum") { Add(name: $0) }
        let dropout = part("\(name)_dropout") { Dropout(options.dropout, name: $0) }
        switch options.placement {
        case .before: return sum(x, dropout(body(norm(x))))
        case .after: return norm(sum(x, dropout(body(x))))
        }
    }

    final func feedForward(_ x: SymbolicTensor) -> SymbolicTensor {
        func dense(_ name: String, _ units: Int, _ activation: Activation, _ initializer: any Initializer) -> Layer {
            part(name) {
                Dense(units, activation: activation, usesBias: options.usesBias, kernelInitializer: initializer, name: $0)
            }
        }
        let kernels = options.kernelInitializer, inner = options.inner
        return around(x, "feed_forward") { x in
            let contract = dense("contract", options.width, .none, options.residualInitializer ?? kernels)
            switch options.feedForward {
            case .plain(let activation):
                return contract(dense("expand", inner, activation, kernels)(x))
            case .gated(let activation):
                let gate = dense("gate", inner, activation, kernels), product = part("gated") { Multiply(name: $0) }
                return contract(product(gate(x), dense("expand", inner, .none, kernels)(x)))
            }
        }
    }
}

/// A block that reads a sequence in both directions, as in BERT (Devlin et al. 2018).
///
/// Inputs: x [batch, time, width]; a mask or lengths, as `MultiHeadAttention` takes them, if some of it is padding. Parts:
/// attention, attention_norm, expand, gate where there is one, contract, feed_forward_norm.
public final class EncoderBlock: TransformerBlock {
    public override init(_ options: TransformerOptions, name: String = "") { super.init(options, name: name) }

    public override func apply(_ inputs: [SymbolicTensor]) -> [SymbolicTensor] {
        guard let x = inputs.first else { return super.apply(inputs) }
        let attention = attention("attention", causal: false, rotary: options.rotary)
        let padding = inputs.dropFirst()
        return [feedForward(around(x, "attention") { attention.apply([$0] + padding)[0] })]
    }
}

/// A block that sees what stands before alone, as in GPT (Radford et al. 2018); with a memory it then looks at all of that.
///
/// Inputs: x [batch, time, width]; for a block with cross attention a memory [batch, length, …], and a mask or lengths of
/// the memory if some of it is padding. Parts: those of `EncoderBlock`; cross_attention, cross_attention_norm.
public final class DecoderBlock: TransformerBlock {
    public override init(_ options: TransformerOptions, name: String = "") { super.init(options, name: name) }

    public override func apply(_ inputs: [SymbolicTensor]) -> [SymbolicTensor] {
        guard let first = inputs.first else { return super.apply(inputs) }
        let attention = attention("attention", causal: true, rotary: options.rotary)
        var x = around(first, "attention") { attention($0) }
        let memory = inputs.dropFirst()
        if !memory.isEmpty {
            let cross = self.attention("cross_attention", causal: false, rotary: nil)
            x = around(x, "cross_attention") { cross.apply([$0] + memory)[0] }
        }
        return [feedForward(x)]
    }
}
