import CKernels
import CModelFormat

/// y = (x − m)·s·gamma + beta with m = mean(x), s = 1 / √(mean((x − m)²) + ε) over the last `axes` dimensions.
/// Ba, Kiros, Hinton: Layer Normalization, 2016. ONNX: LayerNormalization.
///
/// Inputs: x; gamma, beta, shaped like those last dimensions, which hold one element or more.
/// Outputs: y, shaped like x; m, s, shaped like x's other dimensions.
public final class LayerNorm: Operator {
    public let axes: Int
    public let epsilon: Float

    public init(axes: Int = 1, epsilon: Float = 1e-5) {
        self.axes = axes
        self.epsilon = epsilon
    }

    // MARK: Wire

    public static let entry = OperatorEntry("LayerNorm", APUS__NODE__OPERATOR_LAYER_NORM) { node throws(ApusError) in
        let m = node.layer_norm.pointee
        return LayerNorm(axes: Int(m.axes), epsilon: m.epsilon)
    }
    public override var entry: OperatorEntry { LayerNorm.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.layer_norm = wire.message(apus__layer_norm__init) {
            $0.axes = UInt32(clamping: axes)
            $0.epsilon = epsilon
        }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 3...3 }
    public override var outputCount: Int { 3 }
    public override func mayOverwrite(input: Int, output: Int) -> Bool { input == 0 && output == 0 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0]
        try requireEpsilon(epsilon)
        let statistics = try normalizedRows(x, axes: axes, gamma: inputs[1])
        try inputs[2].require("beta", exactly: inputs[1])
        return [x, statistics, statistics]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        var params = ck_layer_norm_params()
        params.rows = Int64(site.outputs[1].shape.count)
        params.width = Int64(site.inputs[1].shape.count)
        params.epsilon = Double(epsilon)
        return KernelPlan(
            [try site.normalize(CK_LAYER_NORM, params, site.allOperands)], operations: 8 * site.inputs[0].shape.count)
    }

    // MARK: Gradient

    /// From y alone, through the statistics of each row.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        try g.builder.node(
            LayerNormGradient(), [g.x, g.inputs[1], g.outputs[1], g.outputs[2], try g.dy()]
        ).map { $0 }
    }
}
