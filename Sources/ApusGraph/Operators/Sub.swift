import CKernels
import CModelFormat

/// y = a − b, broadcast; integers wrap. ONNX: Sub.
///
/// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y of that type.
public final class Sub: BinaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Sub", APUS__NODE__OPERATOR_SUB) { Sub() }
    public override var entry: OperatorEntry { Sub.entry }

    // MARK: Kernel choice

    override var operation: ck_binary_op { CK_BINARY_SUB }

    // MARK: Gradient

    /// da = dy, db = −dy
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        let dy = try g.dy()
        return [
            g.wanted[0] ? try g.sum(dy, like: g.inputs[0]) : nil,
            g.wanted[1] ? try g(Neg(), try g.sum(dy, like: g.inputs[1])) : nil,
        ]
    }
}
