import CKernels
import CModelFormat

/// What QuantizedDense and QuantizedConv2D do with their sums, and how they run.
///
/// Inputs: x, i8 quantized by one scale; W, i8; c [N], i32, the folded biases; m [N], f32, the multipliers; r, i8 quantized
/// by one scale and shaped like y, if `hasResidual`. Output: y, codes of `outputCodes` within `bounds`, or f32 where that is
/// nil. Docs/Quantization.md, section 4.
public class QuantizedProduct: Operator {
    /// The sums that codes allow stay below 2³² for so many products.
    public static let maximumDepth = 1 << 16

    public final let bounds: CodeBounds
    public final let hasResidual: Bool

    init(output: CodeScale?, bounds: CodeBounds, hasResidual: Bool) {
        self.bounds = bounds
        self.hasResidual = hasResidual
        super.init(outputCodes: output)
    }

    // MARK: Shape rule

    public override final var inputCount: ClosedRange<Int> { hasResidual ? 5...5 : 4...4 }

    /// Each element of the residual is read where the one of y that it is added to is written.
    public override final func mayOverwrite(input: Int, output: Int) -> Bool { input == 4 }

    /// Weights that may say what their codes stand for, one scale a column.
    final func requireWeights(_ w: TensorType, rank: Int, packed: Layout?) throws(ApusError) {
        guard w.dtype == .i8 else { throw .shape("W of type \(w.dtype.name), wanted i8") }
        guard w.shape.rank == rank else { throw .shape("W \(w) of rank \(w.shape.rank), wanted \(rank)") }
        guard w.layout == .plain || w.layout == packed else {
            throw .shape("W \(w) in a layout of other weights, wanted plain" + (packed == nil ? "" : " or int8 panels"))
        }
        guard let quantization = w.quantization else { return }
        guard quantization.granularity == .perChannel(axis: rank - 1) else {
            throw .shape("W \(w) quantized otherwise than along axis \(rank - 1)")
        }
        for zero in quantization.zeroPoints where zero != 0 { throw .shape("W \(w) of zero point \(zero), wanted 0") }
    }

    /// The type of y, all rules but those of x's and W's shapes checked; `depth` is K.
    final func result(_ inputs: [TensorType], _ shape: Shape, depth: Int) throws(ApusError) -> TensorType {
        guard depth >= 1 && depth <= QuantizedProduct.maximumDepth else {
            throw .shape("sums of \(depth) products, wanted 1 ... \(QuantizedProduct.maximumDepth)")
        }
        try inputs[2].require("biases", exactly: TensorType(.i32, [shape.last]))
        try inputs[3].require("multipliers", exactly: TensorType(.f32, [shape.last]))
        try bounds.check()
        guard let output = outputCodes else {
            guard !hasResidual && bounds == CodeBounds() else {
                throw .shape("a residual or bounds on real numbers, wanted an output quantization")
            }
            return TensorType(.f32, shape)
        }
        if hasResidual { try inputs[4].requireCodes("residual", shape: shape) }
        return output.type(shape)
    }

    // MARK: Kernel choice

    final func plan(
        _ site: KernelSite, _ geometry: ck_conv_params, depthwise: Bool, operations: Int
    ) throws(ApusError) -> KernelPlan {
        let x = try site.inputs[0].requireCodes("x")
        var params = ck_product8_params()
        params.geometry = geometry
        params.padding = x.zeroPoint
        params.real_output = outputCodes == nil ? 1 : 0
        params.to = (outputCodes ?? CodeScale(scale: 1)).quantizer(bounds)
        if let output = outputCodes, hasResidual {
            let r = try site.inputs[4].requireCodes("residual")
            params.has_residual = 1
            params.residual_scale = r.ratio(to: output)
            params.residual_zero = r.zeroPoint
        }
        if depthwise {
            return try KernelPlan(
                ck_depthwise8(&params, site.integerISA), params, units: ck_depthwise8_units(&params), at: site,
                operations: operations)
        }
        if site.pools { params.geometry.pools = ck_product8_pools(&params, site.integerISA) }
        var product = IntegerProduct(site, params)
        let w = try product.packed(input: 1)
        try product.multiply(.input(0), w, site.allOperands)
        return KernelPlan(
            product.launches, workspaceBytes: product.workspace, operations: operations,
            sharing: params.geometry.pools != 0 ? .maxima : .none)
    }
}

/// The launches of a product over panels of four rows, and the workspace they share.
struct IntegerProduct {
    private let site: KernelSite
    private var params: ck_product8_params
    private(set) var launches: [Launch] = []
    private(set) var workspace = 0

    init(_ site: KernelSite, _ params: ck_product8_params) {
        self.site = site
        self.params = params
    }

    /// Room for so many bytes; returns its offset.
    mutating func reserve(_ bytes: Int) -> KernelOperand {
        let offset = workspace
        workspace += (bytes + 63) / 64 * 64
        return .workspace(offset)
    }

    mutating func append(_ launch: Launch) { launches.append(launch) }

    /// The rows of the first input [rows, depth] as codes, which take its place among the operands, and their scales.
    mutating func quantizeRows(
        _ rows: Int, depth: Int, _ operands: inout [KernelOperand], scalesAt index: Int
    ) throws(ApusError) {
        let codes = reserve(Shape([rows, depth]).count), scales = reserve(4 * rows)
        append(
            try Launch(
                ck_quantize_rows(site.isa), ck_quantize_rows_params(m: Int64(rows), k: Int64(depth)), units: rows,
                [operands[0], codes, scales]))
        operands[0] = codes
        operands.insert(scales, at: index)
    }

    /// The weights at `input` as panels: plain ones are packed first, so that they give the same bytes as packed ones.
    mutating func packed(input: Int) throws(ApusError) -> KernelOperand {
        var w = site.inputs[input]
        guard w.layout == .plain else { return .input(input) }
        let groups = Int(params.geometry.groups)
        w.layout = w.shape.rank == 4 ? .convPanels4(groups: groups) : .panels4
        let panels = reserve(w.byteSize)
        append(
            try Launch(
                ck_pack_panels4(w.dtype.ck), params.geometry, units: ck_panels4_units(&params.geometry),
                [.input(input), panels]))
        return panels
    }

    /// The product itself. `operands` are those of the kernel without its workspace, the first two given apart.
    mutating func multiply(_ x: KernelOperand, _ w: KernelOperand, _ operands: [KernelOperand]) throws(ApusError) {
        params.lane_bytes = Int64(ck_product8_lane_bytes(&params, site.integerISA))
        let rows = reserve(Int(params.lane_bytes) * site.lanes)
        append(
            try Launch(
                ck_product8(&params, site.integerISA), params, units: ck_product8_units(&params, site.integerISA),
                [x, w] + operands[2...] + [rows]))
    }
}

extension ck_conv_params {
    /// The product of [rows, depth] by [depth, columns], as the 1 × 1 convolution of an image of one line.
    init(rows: Int, depth: Int, columns: Int) {
        self.init()
        (batch, in_h, out_h, kernel_h, kernel_w) = (1, 1, 1, 1, 1)
        (stride_h, stride_w, dilation_h, dilation_w, groups) = (1, 1, 1, 1, 1)
        (in_w, out_w) = (Int32(clamping: rows), Int32(clamping: rows))
        (in_c, out_c) = (Int32(clamping: depth), Int32(clamping: columns))
    }
}

extension Shape {
    /// The rows of a tensor as a matrix of its last dimension, as many as kernels count.
    func checkedRows() throws(ApusError) -> Int {
        let rows = product(0..<max(rank - 1, 0))
        guard rows <= SlidingWindow.maximumExtent else {
            throw .shape("\(rows) rows in \(self), wanted at most \(SlidingWindow.maximumExtent)")
        }
        return rows
    }
}
