import CKernels
import CModelFormat

/// dx[k] = (softmax(x)[k] − (k = label))·dloss per row, 0 for a label outside 0 ..< K: the gradient of
/// SparseSoftmaxCrossEntropy.
///
/// Inputs: logits x [..., K], f32 or f64; labels [...], i32; dloss [...]. Output: dx, shaped like x.
public final class SparseSoftmaxCrossEntropyGradient: CrossEntropy {
    // MARK: Wire

    public static let entry = OperatorEntry(
        "SparseSoftmaxCrossEntropyGradient", APUS__NODE__OPERATOR_SPARSE_SOFTMAX_CROSS_ENTROPY_GRADIENT
    ) {
        _ throws(ApusError) in SparseSoftmaxCrossEntropyGradient()
    }
    public override var entry: OperatorEntry { SparseSoftmaxCrossEntropyGradient.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 3...3 }
    public override func mayOverwrite(input: Int, output: Int) -> Bool { input == 0 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let losses = try CrossEntropy.losses(inputs[0])
        try CrossEntropy.requireLabels(inputs[1], for: inputs[0])
        try inputs[2].require("dloss", exactly: losses)
        return [inputs[0]]
    }

    // MARK: Kernel choice

    override var operation: ck_cross_entropy_op { CK_CROSS_ENTROPY_SPARSE_GRADIENT }
}
