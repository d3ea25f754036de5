import CKernels
import CModelFormat

/// loss = −ln softmax(x)[label] per row; NaN for a label outside 0 ..< K. ONNX: SoftmaxCrossEntropyLoss without
/// reduction.
///
/// Inputs: logits x [..., K], f32 or f64; labels [...], i32. Output: loss [...].
public final class SparseSoftmaxCrossEntropy: CrossEntropy {
    // MARK: Wire

    public static let entry = OperatorEntry(
        "SparseSoftmaxCrossEntropy", APUS__NODE__OPERATOR_SPARSE_SOFTMAX_CROSS_ENTROPY
    ) {
        _ throws(ApusError) in SparseSoftmaxCrossEntropy()
    }
    public override var entry: OperatorEntry { SparseSoftmaxCrossEntropy.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let losses = try CrossEntropy.losses(inputs[0])
        try CrossEntropy.requireLabels(inputs[1], for: inputs[0])
        return [losses]
    }

    // MARK: Kernel choice

    override var operation: ck_cross_entropy_op { CK_CROSS_ENTROPY_SPARSE }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try g(SparseSoftmaxCrossEntropyGradient(), g.x, g.inputs[1], try g.dy()), nil]
    }
}
