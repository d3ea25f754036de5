import CKernels
import CModelFormat

/// y = a + b, broadcast; integers wrap. ONNX: Add.
///
/// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y of that type.
public final class Add: BinaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Add", APUS__NODE__OPERATOR_ADD) { Add() }
    public override var entry: OperatorEntry { Add.entry }

    // MARK: Kernel choice

    override var operation: ck_binary_op { CK_BINARY_ADD }

    // MARK: Gradient

    /// da = db = dy
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        let dy = try g.dy()
        return [
            g.wanted[0] ? try g.sum(dy, like: g.inputs[0]) : nil,
            g.wanted[1] ? try g.sum(dy, like: g.inputs[1]) : nil,
        ]
    }
}
