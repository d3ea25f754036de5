import CKernels

/// Which way a convolution is gone through.
enum ConvolutionDirection {
    /// X to Y: inputs X, W, [bias], [residual]; the output is Y.
    case forward
    /// Y to X, the input gradient: inputs Y, W, [bias], [residual]; the output is X.
    case backward
}

extension ConvolutionGeometry {
    /// A convolution, or its input gradient, by its algorithm. `operands` are the site's inputs and output, in the
    /// kernel's order.
    func product(
        _ site: KernelSite, _ params: ck_conv_params, _ direction: ConvolutionDirection, _ operands: [KernelOperand]
    ) throws(ApusError) -> KernelPlan {
        let w = site.inputs[1].shape, y = direction == .forward ? site.outputs[0].shape : site.inputs[0].shape
        let operations = self.operations(w: w, y: y)
        if case .winograd(let tile) = algorithm {
            return try winogradProduct(site, params, tile: tile, direction, operands, operations: operations)
        }
        return try directProduct(
            site, params, direction, depthwise: isDepthwise(w), pointwise: isPointwise(w), operands,
            operations: operations)
    }

    /// Whether one tap meets the pixels of an image of any size, and no padding.
    private func isPointwise(_ w: Shape) -> Bool {
        guard groups == 1, w[0] == 1, w[1] == 1 else { return false }
        guard case .explicit(let top, let left, let bottom, let right) = window.padding else { return true }
        return top | left | bottom | right == 0
    }
}

/// A convolution, or its input gradient, over packed panels. Plain weights are packed into the workspace first, so that
/// weights in training and the same weights packed in a file go through the same loop and give the same bits.
private func directProduct(
    _ site: KernelSite, _ params: ck_conv_params, _ direction: ConvolutionDirection, depthwise: Bool, pointwise: Bool,
    _ operands: [KernelOperand], operations: Int
) throws(ApusError) -> KernelPlan {
    var params = params
    var operands = operands
    var launches: [Launch] = []
    var workspace = 0
    let w = site.inputs[1]
    if !depthwise && w.layout == .plain {
        let forward = direction == .forward
        let elements = forward ? ck_conv_panel_elements(&params) : ck_conv_transposed_panel_elements(&params)
        let units = forward ? ck_conv_panels(&params) : ck_conv_transposed_panels(&params)
        workspace = elements * w.dtype.bitWidth / 8
        launches.append(
            try Launch(
                forward ? ck_conv_pack(w.dtype.ck) : ck_conv_pack_transposed(w.dtype.ck), params, units: units,
                [.input(1), .workspace(0)]))
        operands[1] = .workspace(0)
    }
    let last: Launch, sharing: Sharing
    if pointwise, var product = pointwiseProduct(params, direction) {
        let isStrided = params.stride_h > 1 || params.stride_w > 1
        if isStrided {
            let start = (workspace + 63) & -64, pixels = KernelOperand.workspace(start)
            let x = site.inputs[0].dtype
            launches.append(try copy(site, ck_conv_pixels(&params), dtype: x, operands[0], pixels))
            operands[0] = pixels
            workspace = start + Int(product.m &* product.k) * x.bitWidth / 8
        }
        let task = ck_gemm(site.dtype, w.dtype.ck, site.isa)
        last = try Launch(task, product, units: ck_gemm_units(&product), operands)
        sharing = isStrided ? .none : .product
    } else {
        if site.pools && !depthwise && site.dtype == CK_F32 { params.pools = ck_conv_pools(&params, site.isa) }
        let task: ck_task?, units: Int
        switch (direction, depthwise) {
        case (.forward, false): (task, units) = (ck_conv(&params, w.dtype.ck, site.isa), ck_conv_units(&params))
        case (.forward, true): (task, units) = (ck_depthwise(&params, w.dtype.ck, site.isa), ck_depthwise_units(&params))
        case (.backward, false):
            task = ck_conv_input_gradient(&params, w.dtype.ck, site.isa)
            units = ck_conv_input_gradient_units(&params)
        case (.backward, true):
            task = ck_depthwise_input_gradient(&params, w.dtype.ck, site.isa)
            units = ck_depthwise_input_gradient_units(&params)
        }
        last = try Launch(task, params, units: units, operands)
        sharing = params.pools != 0 ? .maxima : .convolution
    }
    launches.append(last)
    let isApart = direction == .forward && site.dtype == CK_F32 && params.has_residual == 0
    return KernelPlan(
        launches, workspaceBytes: workspace, operations: operations, sharing: isApart ? sharing : .none)
}

/// A convolution of one tap is the product of its pixels and panels where it reads every pixel once, or where so many channels
/// read some that copying those beside each other costs little; nil for others. It
/// finishes residuals and SiLU in a second pass over its tiles, which pays; activations that would cost another such pass stay
/// the convolution's.
private func pointwiseProduct(_ p: ck_conv_params, _ direction: ConvolutionDirection) -> ck_gemm_params? {
    guard p.stride_h == 1 && p.stride_w == 1 || direction == .forward && p.out_c >= 64 else { return nil }
    switch p.activation.kind {
    case Int32(CK_ACT_NONE.rawValue), Int32(CK_ACT_RELU.rawValue), Int32(CK_ACT_RELU6.rawValue),
        Int32(CK_ACT_CLIP.rawValue), Int32(CK_ACT_SILU.rawValue):
        break
    default: return nil
    }
    let forward = direction == .forward
    var product = ck_gemm_params()
    product.m = Int64(p.batch) &* Int64(p.out_h) &* Int64(p.out_w)
    product.k = Int64(forward ? p.in_c : p.out_c)
    product.n = Int64(forward ? p.out_c : p.in_c)
    product.a_row_stride = product.k
    product.a_k_stride = 1
    product.c_row_stride = product.n
    product.batch = 1
    product.has_bias = p.has_bias
    product.has_residual = p.has_residual
    product.activation = p.activation
    return product
}
