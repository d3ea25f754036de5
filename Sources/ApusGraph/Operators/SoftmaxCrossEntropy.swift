import CKernels
import CModelFormat

/// loss = −Σₖ tₖ·ln softmax(x)ₖ per row, a term being 0 where t = 0. ONNX: SoftmaxCrossEntropyLoss, but of
/// probabilities.
///
/// Inputs: logits x [..., K], f32 or f64; targets t, shaped like x. Output: loss [...].
public final class SoftmaxCrossEntropy: CrossEntropy {
    // MARK: Wire

    public static let entry = OperatorEntry("SoftmaxCrossEntropy", APUS__NODE__OPERATOR_SOFTMAX_CROSS_ENTROPY) {
        _ throws(ApusError) in SoftmaxCrossEntropy()
    }
    public override var entry: OperatorEntry { SoftmaxCrossEntropy.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let losses = try CrossEntropy.losses(inputs[0])
        try CrossEntropy.requireTargets(inputs[1], for: inputs[0])
        return [losses]
    }

    // MARK: Kernel choice

    override var operation: ck_cross_entropy_op { CK_CROSS_ENTROPY_DENSE }

    // MARK: Gradient

    /// dt = −dloss·ln softmax(x)
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        let targets = g.inputs[1], dloss = try g.dy()
        var dx: Value?, dt: Value?
        if g.wanted[0] { dx = try g(SoftmaxCrossEntropyGradient(), g.x, targets, dloss) }
        if g.wanted[1] {
            let rows = try g(ExpandLike(axes: [-1]), try g(.neg, dloss), targets)
            dt = try g(.mul, rows, try g(LogSoftmax(), g.x))
        }
        return [dx, dt]
    }
}
