import CKernels
import CModelFormat

/// y = a·b, broadcast; integers wrap. ONNX: Mul.
///
/// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y of that type.
public final class Mul: BinaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Mul", APUS__NODE__OPERATOR_MUL) { Mul() }
    public override var entry: OperatorEntry { Mul.entry }

    // MARK: Kernel choice

    override var operation: ck_binary_op { CK_BINARY_MUL }

    // MARK: Gradient

    /// da = dy·b, db = dy·a
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        let dy = try g.dy(), a = g.inputs[0], b = g.inputs[1]
        return [
            g.wanted[0] ? try g.sum(try g(Mul(), dy, b), like: a) : nil,
            g.wanted[1] ? try g.sum(try g(Mul(), dy, a), like: b) : nil,
        ]
    }
}
