#if !APUS_INFERENCE
import CKernels

extension KernelSite {
    /// Whether `product` of a site in mixed precision goes by bf16: one of f32 that finishes nothing but a bias. The answer does
    /// not depend on extents, which may be symbols.
    func goesByMixedPrecision(_ product: ck_gemm_params) -> Bool {
        mixedPrecision && inputs[0].dtype == .f32 && inputs[1].dtype == .f32 && inputs[1].layout == .plain
            && product.has_residual == 0 && product.accumulate == 0 && product.activation.kind == Int32(CK_ACT_NONE.rawValue)
    }
}

/// The product that `panelProduct` describes, of operands rounded to bf16, summed in f32 (Micikevicius et al. 2018, with bf16).
/// Both operands are packed into the workspace, A at its beginning.
func mixedProduct(
    _ site: KernelSite, _ product: ck_gemm_params, batches: Int, transposed: Bool
) throws(ApusError) -> KernelPlan {
    let isEmpty = site.outputs[0].shape.count == 0
    let aShared = product.batch > 1 && product.a_batch_stride == 0
    var a = ck_mixed_pack_params()
    (a.count, a.k) = (product.m, product.k)
    (a.line_stride, a.k_stride) = (product.a_row_stride, product.a_k_stride)
    a.batch = isEmpty ? 0 : aShared ? 1 : product.batch
    a.batch_stride = product.a_batch_stride
    var b = ck_mixed_pack_params()
    (b.count, b.k) = (product.n, product.k)
    (b.line_stride, b.k_stride) = transposed ? (product.k, 1) : (1, product.n)
    b.batch = isEmpty ? 0 : Int64(batches)
    b.batch_stride = product.k &* product.n
    b.by_pairs = 1
    var mixed = ck_mixed_params()
    (mixed.m, mixed.n, mixed.k) = (product.m, product.n, product.k)
    mixed.batch = isEmpty ? 0 : product.batch
    (mixed.c_row_stride, mixed.c_batch_stride) = (product.c_row_stride, product.c_batch_stride)
    mixed.a_shared = aShared ? 1 : 0
    mixed.b_shared = product.b_batch_stride == 0 ? 1 : 0
    mixed.has_bias = product.has_bias
    let aBytes = Int(a.batch &* ck_mixed_bytes(a.count, a.k)), bBytes = Int(b.batch &* ck_mixed_bytes(b.count, b.k))
    var operands = site.allOperands
    operands[0] = .workspace(0)
    operands[1] = .workspace(aBytes)
    let pack = ck_mixed_pack(site.integerISA)
    return KernelPlan(
        [
            try Launch(pack, a, units: ck_mixed_pack_units(&a), [.input(0), operands[0]]),
            try Launch(pack, b, units: ck_mixed_pack_units(&b), [.input(1), operands[1]]),
            try Launch(ck_mixed(site.integerISA), mixed, units: ck_mixed_units(&mixed), operands),
        ], workspaceBytes: aBytes + bBytes,
        operations: 2 * Shape([site.outputs[0].shape.count, Int(product.k)]).count, sharing: .preparedInput)
}
#endif
