import CKernels
import CModelFormat

/// y = x·Φ(x), or, with `tanh`, x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))). Hendrycks & Gimpel 2016. ONNX: Gelu.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class Gelu: ActivationOperator {
    public init(tanh: Bool = false) { super.init(tanh ? .geluTanh : .gelu) }

    // MARK: Wire

    public static let entry = OperatorEntry("Gelu", APUS__NODE__OPERATOR_GELU) { node throws(ApusError) in
        Gelu(tanh: node.gelu.pointee.tanh != 0)
    }
    public override var entry: OperatorEntry { Gelu.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.gelu = wire.message(apus__gelu__init) { $0.tanh = activation == .geluTanh ? 1 : 0 }
    }
}
