import CKernels
import CModelFormat

/// The k largest elements along an axis, or the smallest, in order, and where they stand; all of them where there are fewer.
/// Of equal elements the first comes first; NaN counts as the largest. ONNX: TopK with a constant k.
///
/// Input: x of any type but f16, bf16. Outputs: values, shaped like x with min(k, extent) along the axis; indices, i64.
public final class TopK: Operator {
    public let axis: Int
    public let k: Int
    public let smallest: Bool

    public init(_ k: Int, axis: Int = -1, smallest: Bool = false) {
        self.k = k
        self.axis = axis
        self.smallest = smallest
    }

    // MARK: Wire

    public static let entry = OperatorEntry("TopK", APUS__NODE__OPERATOR_TOP_K) { node throws(ApusError) in
        let m = node.top_k.pointee
        return TopK(Int(m.k), axis: Int(m.axis), smallest: m.smallest != 0)
    }
    public override var entry: OperatorEntry { TopK.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.top_k = wire.message(apus__top_k__init) {
            $0.k = UInt32(clamping: k)
            $0.axis = Int32(clamping: axis)
            $0.smallest = smallest ? 1 : 0
        }
    }

    // MARK: Shape rule

    public override var outputCount: Int { 2 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0]
        try x.requireMovable("x")
        let axis = try x.shape.axis(axis)
        let shape = x.shape.replacing(axis, with: min(max(k, 0), x.shape[axis]))
        return [x.moved(to: shape), TensorType(.i64, shape)]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape
        let axis = try x.axis(axis)
        var params = ck_top_k_params()
        params.outer = Int64(x.product(0..<axis))
        params.length = Int64(x[axis])
        params.inner = Int64(x.product(axis + 1..<x.rank))
        params.k = Int64(site.outputs[0].shape[axis])
        params.smallest = smallest ? 1 : 0
        let rows = site.outputs[0].shape.count == 0 ? 0 : Int(params.outer * params.inner)
        let launch = try Launch(ck_top_k(site.dtype), params, units: rows, site.allOperands + [.workspace(0)])
        return KernelPlan(
            [launch], workspaceBytes: ck_top_k_workspace(&params, Int32(site.lanes)), operations: 4 * x.count)
    }

    // MARK: Gradient

    /// dx = dvalues put at the indices.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        throw .unsupported("TopK has no gradient")
    }
}
