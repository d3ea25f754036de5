import CKernels
import CModelFormat

/// y = aᵇ, broadcast. Integers wrap; a negative exponent gives 0, but ±1 for the bases ±1. ONNX: Pow.
///
/// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y of that type.
public final class Pow: BinaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Pow", APUS__NODE__OPERATOR_POW) { Pow() }
    public override var entry: OperatorEntry { Pow.entry }

    // MARK: Kernel choice

    override var operation: ck_binary_op { CK_BINARY_POW }
    override var operationsPerElement: Int { 50 }

    // MARK: Gradient

    /// da = dy·b·a^(b − 1); db = dy·y·ln a, 0 for a ≤ 0 as in TensorFlow
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        let a = g.inputs[0], b = g.inputs[1], dy = try g.dy(), one = try g.scalar(1)
        var da: Value?, db: Value?
        if g.wanted[0] {
            let slope = try g(Mul(), b, try g(Pow(), a, try g(Sub(), b, one)))
            da = try g.sum(try g(Mul(), dy, slope), like: a)
        }
        if g.wanted[1] {
            let positive = try g(Greater(), a, try g.scalar(0))
            let logarithm = try g(Log(), try g(Where(), positive, a, one))
            db = try g.sum(try g(Mul(), dy, try g(Mul(), g.y, logarithm)), like: b)
        }
        return [da, db]
    }
}
