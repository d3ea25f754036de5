import CKernels
import CModelFormat

/// y = x·s·gamma with s = 1 / √(mean(x²) + ε) over the last `axes` dimensions.
/// Zhang, Sennrich: Root Mean Square Layer Normalization, 2019. ONNX: RMSNormalization.
///
/// Inputs: x; gamma, shaped like those last dimensions, which hold one element or more.
/// Outputs: y, shaped like x; s, shaped like x's other dimensions.
public final class RmsNorm: Operator {
    public let axes: Int
    public let epsilon: Float

    public init(axes: Int = 1, epsilon: Float = 1e-5) {
        self.axes = axes
        self.epsilon = epsilon
    }

    // MARK: Wire

    public static let entry = OperatorEntry("RmsNorm", APUS__NODE__OPERATOR_RMS_NORM) { node throws(ApusError) in
        let m = node.rms_norm.pointee
        return RmsNorm(axes: Int(m.axes), epsilon: m.epsilon)
    }
    public override var entry: OperatorEntry { RmsNorm.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.rms_norm = wire.message(apus__layer_norm__init) {
            $0.axes = UInt32(clamping: axes)
            $0.epsilon = epsilon
        }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }
    public override var outputCount: Int { 2 }
    public override func mayOverwrite(input: Int, output: Int) -> Bool { input == 0 && output == 0 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try requireEpsilon(epsilon)
        let statistics = try normalizedRows(inputs[0], axes: axes, gamma: inputs[1])
        return [inputs[0], statistics]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        var params = ck_layer_norm_params()
        params.rows = Int64(site.outputs[1].shape.count)
        params.width = Int64(site.inputs[1].shape.count)
        params.epsilon = Double(epsilon)
        return KernelPlan(
            [try site.normalize(CK_RMS_NORM, params, site.allOperands)], operations: 5 * site.inputs[0].shape.count)
    }

    // MARK: Gradient

    /// From y alone, through the statistic of each row.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        try g.builder.node(RmsNormGradient(), [g.x, g.inputs[1], g.outputs[1], try g.dy()]).map { $0 }
    }
}
