import CKernels
import CModelFormat

/// What ArgMax and ArgMin share: the first index along an axis that attains the extreme; a NaN wins over every number.
///
/// Input: x, f32, f64, i32 or i64, with one element or more along the axis. Output: y of i64 without the axis or, if
/// `keepDimensions`, with 1 in its place.
public class ArgReduction: Operator {
    public final let axis: Int
    public final let keepDimensions: Bool

    public init(axis: Int = -1, keepDimensions: Bool = false) {
        self.axis = axis
        self.keepDimensions = keepDimensions
    }

    /// The kernel's operation.
    var operation: ck_arg_op { CK_ARG_MAX }

    // MARK: Wire

    /// The entry of an operator whose message is Arg; every member of the node's union is one pointer.
    static func entry(
        _ name: String, _ code: Apus__Node__OperatorCase,
        _ make: @escaping @Sendable (_ axis: Int, _ keepDimensions: Bool) -> Operator
    ) -> OperatorEntry {
        OperatorEntry(name, code) { node throws(ApusError) in
            let m = node.arg_max.pointee
            return make(Int(m.axis), m.keep_dimensions != 0)
        }
    }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.arg_max = wire.message(apus__arg__init) {
            $0.axis = Int32(clamping: axis)
            $0.keep_dimensions = keepDimensions ? 1 : 0
        }
    }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0]
        try x.requireNumbers("x")
        let axis = try x.shape.axis(self.axis)
        guard x.shape[axis] >= 1 else { throw .shape("x \(x) has nothing along axis \(axis), wanted 1 or more") }
        return [TensorType(.i64, keepDimensions ? x.shape.replacing(axis, with: 1) : x.shape.removing(axis))]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape
        let axis = try x.axis(self.axis)
        var params = ck_arg_params()
        params.outer = Int64(x.product(0..<axis))
        params.width = Int64(x[axis])
        params.inner = Int64(x.product(axis + 1..<x.rank))
        params.index_dtype = Int32(CK_I64.rawValue)
        return try KernelPlan(
            ck_arg_reduce(operation, site.dtype, site.isa), params, units: ck_arg_units(&params), at: site,
            operations: x.count)
    }

    // MARK: Gradient

    /// None flows through an index.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [nil] }
}
