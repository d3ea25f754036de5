import CKernels
import CModelFormat

/// y = x·min(1, maximum / norm): with the norm of all gradients, clipping by global norm (Pascanu, Mikolov & Bengio
/// 2013). NaN where the norm is not finite.
///
/// Inputs: x, f32 or f64; norm, a scalar of its type. Output: y, shaped like x.
public final class ClipByNorm: Operator {
    public let maximum: Float

    public init(maximum: Float) { self.maximum = maximum }

    // MARK: Wire

    public static let entry = OperatorEntry("ClipByNorm", APUS__NODE__OPERATOR_CLIP_BY_NORM) {
        node throws(ApusError) in ClipByNorm(maximum: node.clip_by_norm.pointee.maximum)
    }
    public override var entry: OperatorEntry { ClipByNorm.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.clip_by_norm = wire.message(apus__clip__init) { $0.maximum = maximum }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }
    public override func mayOverwrite(input: Int, output: Int) -> Bool { input == 0 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        guard maximum > 0 && maximum.isFinite else { throw .shape("a maximum that is not a positive finite number") }
        try inputs[0].require("x", float: true)
        try inputs[1].require("norm", exactly: TensorType(inputs[0].dtype, []))
        return [inputs[0]]
    }

    // MARK: Kernel choice

    /// The workspace holds norm², of which the kernel takes the root.
    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape, square = KernelOperand.workspace(0)
        var params = ck_norm_params(count: Int64(x.count), clip: Double(maximum))
        return KernelPlan(
            [
                try site.unary(CK_UNARY_SQUARE, site.inputs[1], .input(1), square),
                try Launch(
                    ck_clip_norm(site.dtype, site.isa), params, units: ck_clip_norm_units(&params),
                    [.input(0), square, .output(0)]),
            ], workspaceBytes: 64, operations: x.count)
    }
}
