import CKernels
import CModelFormat

/// dtable[…, j, …] = Σ dy[…, k, …] over the k with indices[k] = j: the gradient of Gather.
///
/// Inputs: dy, f32, f64, i32 or i64, whose sums wrap; indices, i32 or i64; table, whose values are not read.
/// Output: dtable, shaped like the table.
public final class GatherGradient: Operator {
    public let axis: Int

    public init(axis: Int = 0) {
        self.axis = axis
        super.init(inputsRead: 2)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("GatherGradient", APUS__NODE__OPERATOR_GATHER_GRADIENT) {
        node throws(ApusError) in GatherGradient(axis: Int(node.gather_gradient.pointee.axis))
    }
    public override var entry: OperatorEntry { GatherGradient.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.gather_gradient = wire.axis(axis)
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 3...3 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let dy = inputs[0], indices = inputs[1], table = inputs[2]
        try dy.requireNumbers("dy")
        try indices.requireIndices("indices")
        let wanted = try Gather.shape(table.shape, indices.shape, axis)
        guard dy.shape == wanted else { throw .shape("dy \(dy.shape), wanted \(wanted)") }
        return [TensorType(dy.dtype, table.shape)]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let table = site.outputs[0].shape
        var params = try Gather.params(table, site.inputs[1], axis)
        let units = table.count == 0 ? 0 : ck_scatter_add_units(&params)
        let task = ck_scatter_add(site.dtype, site.isa)
        return KernelPlan(
            [try Launch(task, params, units: units, [.input(0), .input(1), .output(0)])],
            operations: site.inputs[0].shape.count)
    }
}
