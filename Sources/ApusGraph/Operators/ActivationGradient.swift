import CKernels
import CModelFormat

/// dx = dy·act′(x), the gradient of an activation. At kinks: ReLU, ReLU6 and ELU take the slope from below at 0, ReLU6
/// is flat at 6, Clip has slope 1 at its bounds; where x is NaN the piecewise constant slopes are 0.
///
/// Inputs: x, f32 or f64; dy, of its type. Output: dx, which may be written over either.
public final class ActivationGradient: Operator {
    public let activation: Activation

    public init(_ activation: Activation) { self.activation = activation }

    // MARK: Wire

    public static let entry = OperatorEntry("ActivationGradient", APUS__NODE__OPERATOR_ACTIVATION_GRADIENT) {
        node throws(ApusError) in ActivationGradient(try Activation(wire: node.activation_gradient.pointee.activation))
    }
    public override var entry: OperatorEntry { ActivationGradient.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.activation_gradient = wire.message(apus__activation_gradient__init) {
            $0.activation = activation.encoded(wire)
        }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }
    public override func mayOverwrite(input: Int, output: Int) -> Bool { true }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try activation.check()
        try inputs[0].require("x", float: true)
        try inputs[1].require("dy", exactly: inputs[0])
        return [inputs[0]]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let count = site.inputs[0].shape.count, act = activation.params
        var params = ck_unary_params(count: Int64(count), alpha: Double(act.alpha), beta: Double(act.beta))
        let task = ck_activation_gradient(ck_activation(UInt32(act.kind)), site.dtype, site.isa)
        return try KernelPlan(
            task, params, units: ck_unary_units(&params), at: site, operations: (activation.operations + 2) * count)
    }
}
