import CKernels
import CModelFormat

/// y = a / b, broadcast; integers toward zero, x / 0 = 0. ONNX: Div.
///
/// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y of that type.
public final class Div: BinaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Div", APUS__NODE__OPERATOR_DIV) { Div() }
    public override var entry: OperatorEntry { Div.entry }

    // MARK: Kernel choice

    override var operation: ck_binary_op { CK_BINARY_DIV }
    override var operationsPerElement: Int { 4 }

    // MARK: Gradient

    /// da = dy / b, db = −da·y
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        let a = g.inputs[0], b = g.inputs[1]
        let quotient = try g(Div(), try g.dy(), b)
        return [
            g.wanted[0] ? try g.sum(quotient, like: a) : nil,
            g.wanted[1] ? try g(Neg(), try g.sum(try g(Mul(), quotient, g.y), like: b)) : nil,
        ]
    }
}
