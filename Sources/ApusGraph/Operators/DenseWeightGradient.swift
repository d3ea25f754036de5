import CKernels
import CModelFormat

/// dW[k, n] = Σ over rows of x[row, k]·dy[row, n]: the gradient of Dense's W.
///
/// Inputs: x [..., K]; dy [..., N]. Output: dW [K, N].
public final class DenseWeightGradient: Operator {
    public init() {}

    // MARK: Wire

    public static let entry = OperatorEntry("DenseWeightGradient", APUS__NODE__OPERATOR_DENSE_WEIGHT_GRADIENT) {
        _ throws(ApusError) in DenseWeightGradient()
    }
    public override var entry: OperatorEntry { DenseWeightGradient.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0], dy = inputs[1]
        try x.require("x", minimumRank: 1, float: true)
        try dy.require("dy", minimumRank: 1, dtype: x.dtype)
        guard rows(x) == rows(dy) else { throw .shape("x \(x) and dy \(dy): different numbers of rows") }
        return [TensorType(x.dtype, [x.shape.last, dy.shape.last])]
    }

    private func rows(_ type: TensorType) -> Int { type.shape.product(0..<(type.shape.rank - 1)) }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let k = site.inputs[0].shape.last, n = site.inputs[1].shape.last
        var product = ck_gemm_params()
        product.m = Int64(k)
        product.n = Int64(n)
        product.k = Int64(rows(site.inputs[0]))
        product.a_row_stride = 1
        product.a_k_stride = Int64(k)
        product.c_row_stride = Int64(n)
        product.batch = 1
        return try panelProduct(site, product, batches: 1, transposed: false)
    }
}
