import CKernels
import CModelFormat

/// The indices of the elements that are not 0, in row-major order. ONNX: NonZero, transposed and with room for all.
///
/// Input: x of any type but f16 and bf16, of rank 1 or more. Outputs: indices, i64 [elements of x, rank], after the first n
/// rows all 0; n, a scalar of i64.
public final class NonZero: Operator {
    public init() {}

    // MARK: Wire

    public static let entry = OperatorEntry("NonZero", APUS__NODE__OPERATOR_NON_ZERO) { _ throws(ApusError) in NonZero() }
    public override var entry: OperatorEntry { NonZero.entry }

    // MARK: Shape rule

    public override var outputCount: Int { 2 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0]
        try x.requireMovable("x", minimumRank: 1, codes: false)
        return [TensorType(.i64, [min(x.shape.count, Shape.maximumExtent), x.shape.rank]), TensorType(.i64, [])]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        var params = ck_non_zero_params()
        params.rank = Int32(site.inputs[0].shape.rank)
        setElements(&params.size, site.inputs[0].shape.dimensions)
        return try KernelPlan(ck_non_zero(site.dtype), params, units: 1, at: site)
    }

    // MARK: Gradient

    /// None flows through an index.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [nil] }
}
