import CKernels
import CModelFormat

/// y = ⌊x⌋. ONNX: Floor.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class Floor: UnaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Floor", APUS__NODE__OPERATOR_FLOOR) { Floor() }
    public override var entry: OperatorEntry { Floor.entry }

    // MARK: Kernel choice

    override var operation: ck_unary_op { CK_UNARY_FLOOR }

    // MARK: Gradient

    /// It is 0 wherever it exists, so none flows.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [nil] }
}
