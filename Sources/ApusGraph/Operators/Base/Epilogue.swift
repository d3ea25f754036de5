import CModelFormat

/// What a product does to its sums: act(sum + bias + residual). The bias and the residual follow the operator's other
/// inputs, two of a real product.
struct Epilogue: Sendable {
    var hasBias = false
    var hasResidual = false
    var activation = Activation.none

    init(hasBias: Bool = false, hasResidual: Bool = false, activation: Activation = .none) {
        self.hasBias = hasBias
        self.hasResidual = hasResidual
        self.activation = activation
    }

    init(wire: UnsafePointer<Apus__Conv2D>) throws(ApusError) {
        let m = wire.pointee
        self.init(
            hasBias: m.has_bias != 0, hasResidual: m.has_residual != 0, activation: try Activation(wire: m.activation))
    }

    var inputCount: Int { 2 + (hasBias ? 1 : 0) + (hasResidual ? 1 : 0) }

    /// The bias is [C] for a result [..., C]; the residual is shaped like the result.
    func check(_ inputs: [TensorType], from first: Int = 2, result: TensorType) throws(ApusError) {
        var next = first
        if hasBias {
            try inputs[next].require("bias", exactly: TensorType(result.dtype, [result.shape.last]))
            next += 1
        }
        if hasResidual { try inputs[next].require("residual", exactly: result) }
    }

    /// The gradients of the bias and the residual, which are there or not. The activation is differentiated through the
    /// unfused product, so a training graph keeps it as its own node.
    func gradients(_ g: Gradient) throws(ApusError) -> [Value?] {
        guard activation == .none else { throw .unsupported("gradient of a fused activation") }
        let dy = try g.dy()
        var gradients: [Value?] = []
        if hasBias { gradients.append(g.wanted[2] ? try g(SumLike(), dy, g.inputs[2]) : nil) }
        if hasResidual { gradients.append(dy) }
        return gradients
    }
}
