import CKernels
import CModelFormat

/// What softmax, its logarithm and their gradients share: rows along one axis, each for itself.
///
/// Inputs: tensors of one shape with an axis, f32 or f64. Output: shaped like them, and may be written over them.
public class AlongAxis: Operator {
    public final let axis: Int

    public init(axis: Int = -1) { self.axis = axis }

    /// The kernel's operation.
    var operation: ck_softmax_op { CK_SOFTMAX }

    // MARK: Wire

    /// The entry of an operator whose message is Axis; every member of the node's union is one pointer.
    static func entry(
        _ name: String, _ code: Apus__Node__OperatorCase, _ make: @escaping @Sendable (_ axis: Int) -> Operator
    ) -> OperatorEntry {
        OperatorEntry(name, code) { node throws(ApusError) in make(Int(node.softmax.pointee.axis)) }
    }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) { node.softmax = wire.axis(axis) }

    // MARK: Shape rule

    public override func mayOverwrite(input: Int, output: Int) -> Bool { true }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0]
        try x.require("input 0", minimumRank: 1, float: true)
        _ = try x.shape.axis(axis)
        for (i, input) in inputs.enumerated() { try input.require(Message("input \(i)").text, exactly: x) }
        return [x]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape
        let axis = try x.axis(self.axis)
        var params = ck_softmax_params()
        params.outer = Int64(x.product(0..<axis))
        params.width = Int64(x[axis])
        params.inner = Int64(x.product(axis + 1..<x.rank))
        return try KernelPlan(
            ck_softmax(operation, site.dtype, site.isa), params, units: x.count == 0 ? 0 : ck_softmax_units(&params),
            at: site, operations: 25 * x.count)
    }
}
