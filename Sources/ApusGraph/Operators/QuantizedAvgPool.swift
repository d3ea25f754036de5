import CKernels
import CModelFormat

/// y = quantize(Σ (x − z_x) · s_x/(s_y·n)) over the n elements of each window inside x or, if `countsPadding`, of the
/// kernel. ONNX: AveragePool or GlobalAveragePool between DequantizeLinear and QuantizeLinear.
///
/// Input: x [N, H, W, C], i8 quantized by one scale. Output: y [N, OH, OW, C], of the node's output quantization; with a
/// kernel of 0 × 0 one window, [N, 1, 1, C]. Docs/Quantization.md, section 6.
public final class QuantizedAvgPool: Pooling {
    public let output: CodeScale

    /// The strides are the kernel's size unless given.
    public init(
        kernel: Size2D, strides: Size2D? = nil, padding: Padding = .valid, countsPadding: Bool = false, output: CodeScale
    ) {
        self.output = output
        super.init(
            kernel: kernel, strides: strides, padding: padding, countsPadding: countsPadding, outputCodes: output)
    }

    /// One window, the image.
    public convenience init(globalOutput output: CodeScale) { self.init(kernel: 0, output: output) }

    // MARK: Wire

    public static let entry = OperatorEntry("QuantizedAvgPool", APUS__NODE__OPERATOR_QUANTIZED_AVG_POOL) {
        node throws(ApusError) in
        let output = try CodeScale(wire: node)
        return try Pooling.read(node) {
            QuantizedAvgPool(kernel: $0, strides: $1, padding: $2, countsPadding: $3, output: output)
        }
    }
    public override var entry: OperatorEntry { QuantizedAvgPool.entry }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0]
        try x.requireCodes("x")
        guard x.shape.rank == 4 else { throw .shape("x \(x) of rank \(x.shape.rank), wanted 4") }
        return [output.type(try resolved(x.shape).pooled(x.shape))]
    }

    /// With the kernel that a kernel of 0 × 0 stands for.
    private func resolved(_ x: Shape) throws(ApusError) -> Pooling {
        guard kernel == 0 else { return self }
        guard padding == .valid else { throw .shape("padding around one window over the image, wanted none") }
        return AvgPool(kernel: Size2D(x[1], x[2]))
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = try site.inputs[0].requireCodes("x")
        let pool = try resolved(site.inputs[0].shape)
        var params = ck_avg_pool8_params(
            window: try pool.params(site.inputs[0].shape), numerator: Double(x.scale), denominator: Double(output.scale),
            zero: x.zeroPoint, to: output.quantizer())
        return try KernelPlan(
            ck_avg_pool8(site.isa), params, units: ck_avg_pool8_units(&params), at: site,
            operations: pool.operations(y: site.outputs[0].shape))
    }
}
