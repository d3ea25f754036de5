import CKernels

/// A product over packed panels. When input 1 is plain it is packed into the workspace first, where that pays, so that a matrix
/// in training and the same matrix packed in a file go through the same loop and give the same bits.
///
/// `product` describes C = A·B for A = input 0; `transposed`: the plain input 1 holds Bᵀ. Inputs after 1 are bias and
/// residual.
func panelProduct(
    _ site: KernelSite, _ product: ck_gemm_params, batches: Int, transposed: Bool
) throws(ApusError) -> KernelPlan {
    #if !APUS_INFERENCE
    if site.goesByMixedPrecision(product) {
        return try mixedProduct(site, product, batches: batches, transposed: transposed)
    }
    #endif
    var product = product
    let count = site.outputs[0].shape.count
    if count == 0 {
        // Products of other extents may not fit; no unit will read them.
        (product.m, product.n, product.batch) = (0, 0, 0)
    }
    let a = site.inputs[0].dtype.ck, b = site.inputs[1].dtype.ck
    var operands = site.allOperands
    var launches: [Launch] = []
    var workspace = 0
    if site.inputs[1].layout == .plain {
        var pack = ck_panels_params()
        pack.k = product.k
        pack.n = product.n
        pack.row_stride = transposed ? 1 : product.n
        pack.column_stride = transposed ? product.k : 1
        pack.batch = count == 0 ? 0 : Int64(batches)
        pack.batch_stride = product.k * product.n
        workspace = Int(ck_panels_size(pack.k, pack.n)) * Int(pack.batch) * site.inputs[1].dtype.bitWidth / 8
        var units = ck_panels_units(&pack)
        operands[1] = .workspace(0)
        #if !APUS_INFERENCE
        operands.insert(.input(1), at: 1)
        product.has_plain = 1
        if !transposed && isReadPlain(product) { (product.reads_plain, units) = (1, 0) }
        #endif
        launches.append(try Launch(ck_pack_panels(b, b, site.isa), pack, units: units, [.input(1), .workspace(0)]))
    }
    #if !APUS_INFERENCE
    if !transposed && site.goesByHalves(product) {
        return try halvedProduct(site, product, operands, preparing: launches, workspace: workspace)
    }
    #endif
    launches.append(try Launch(ck_gemm(a, b, site.isa), product, units: ck_gemm_units(&product), operands))
    return KernelPlan(
        launches, workspaceBytes: workspace,
        operations: 2 * Shape([count, Int(product.k)]).count)
}

#if !APUS_INFERENCE
let mostPlainRows: Int64 = 128, mostPlainColumns: Int64 = 256

/// Whether to read B as it lies takes less time than to pack it: where its panels have no end that is cut, and are met by so few
/// rows that they are read once, or by not many and lie close together.
private func isReadPlain(_ product: ck_gemm_params) -> Bool {
    product.n % Int64(CK_PANEL) == 0 && (product.m <= 12 || product.m <= mostPlainRows && product.n <= mostPlainColumns)
}
#endif
