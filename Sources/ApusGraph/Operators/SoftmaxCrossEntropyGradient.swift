import CKernels
import CModelFormat

/// dx = (softmax(x)·Σ t − t)·dloss per row: the gradient of SoftmaxCrossEntropy.
///
/// Inputs: logits x [..., K], f32 or f64; targets t, shaped like x; dloss [...]. Output: dx, shaped like x.
public final class SoftmaxCrossEntropyGradient: CrossEntropy {
    // MARK: Wire

    public static let entry = OperatorEntry(
        "SoftmaxCrossEntropyGradient", APUS__NODE__OPERATOR_SOFTMAX_CROSS_ENTROPY_GRADIENT
    ) {
        _ throws(ApusError) in SoftmaxCrossEntropyGradient()
    }
    public override var entry: OperatorEntry { SoftmaxCrossEntropyGradient.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 3...3 }
    public override func mayOverwrite(input: Int, output: Int) -> Bool { input < 2 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let losses = try CrossEntropy.losses(inputs[0])
        try CrossEntropy.requireTargets(inputs[1], for: inputs[0])
        try inputs[2].require("dloss", exactly: losses)
        return [inputs[0]]
    }

    // MARK: Kernel choice

    override var operation: ck_cross_entropy_op { CK_CROSS_ENTROPY_DENSE_GRADIENT }
}
