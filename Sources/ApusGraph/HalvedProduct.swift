#if !APUS_INFERENCE
import CKernels

extension KernelSite {
    /// Whether `product` takes its sums by halves of k: where few rows meet large weights that the same step updates. Their
    /// gradient and their update go by rows of W; so the halves of W stay in the caches of the threads that wrote them. The answer
    /// does not depend on the extents of input 0, which may be symbols.
    func goesByHalves(_ product: ck_gemm_params) -> Bool {
        updatesWeights && inputs[1].layout == .plain && product.batch == 1 && product.k % 2 == 0
            && product.n % Int64(CK_PANEL) == 0 && product.n <= mostPlainColumns && product.k &* product.n >= 1 << 15
    }
}

/// The product that `panelProduct` describes, each element of A·B the sum over the first half of k plus that over the second one:
/// both into the workspace, then their sum into C, then what follows in C. More rows, which W is packed for, go at once.
func halvedProduct(
    _ site: KernelSite, _ product: ck_gemm_params, _ operands: [KernelOperand], preparing launches: [Launch], workspace: Int
) throws(ApusError) -> KernelPlan {
    let byHalves = product.reads_plain != 0
    let a = site.inputs[0].dtype.ck, element = site.inputs[0].dtype.bitWidth / 8
    let (x, w, y) = (site.inputs[0].byteSize, site.inputs[1].byteSize, site.outputs[0].byteSize)
    let operations = 2 * Shape([site.outputs[0].shape.count, Int(product.k)]).count

    var half = product
    half.k /= 2
    (half.batch, half.a_batch_stride, half.b_batch_stride) = (2, half.k, half.k * half.n)
    (half.c_row_stride, half.c_batch_stride) = (half.n, half.m &* half.n)
    (half.has_bias, half.has_residual) = (0, 0)
    half.activation = Activation.none.params

    var sum = ck_binary_params()
    (sum.rank, sum.size.0, sum.a_stride.0, sum.b_stride.0) = (1, half.c_batch_stride, 1, 1)

    var rest = product
    if byHalves { (rest.k, rest.accumulate, rest.paired) = (0, 1, 0) }

    let second = workspace + (byHalves ? y : 0)
    let task = ck_gemm(a, site.inputs[1].dtype.ck, site.isa)
    var steps = [
        try Launch(task, half, units: byHalves ? ck_gemm_units(&half) : 0, Array(operands.prefix(3)) + [.workspace(workspace)]),
        try Launch(
            ck_binary(CK_BINARY_ADD, a, site.isa), sum, units: byHalves ? ck_binary_units(&sum) : 0,
            [.workspace(workspace), .workspace(second), .output(0)]),
        try Launch(task, rest, units: ck_gemm_units(&rest), operands),
    ]
    steps[0].work = byHalves ? (operations, x + w + 2 * y) : (0, 0)
    steps[1].work = byHalves ? (0, 3 * y) : (0, 0)
    steps[2].work = byHalves ? (0, 2 * y) : (operations, x + w + y)
    let mostRows = min(product.m, mostPlainRows)
    return KernelPlan(
        launches + steps, workspaceBytes: workspace + 2 * Int(mostRows &* product.n) * element, operations: operations)
}
#endif
