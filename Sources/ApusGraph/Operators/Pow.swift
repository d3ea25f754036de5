import CKernels
import CModelFormat

extension Operator {
    /// y = aᵇ, broadcast. Integers wrap; a negative exponent gives 0, but ±1 for the bases ±1. ONNX: Pow.
    ///
    /// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y of that type.
    public static var pow: Operator { BinaryElementwise(.pow) }
}

extension BinaryRule {
    static let pow = BinaryRule("Pow", APUS__NODE__OPERATOR_POW, CK_BINARY_POW, operations: 50) { g throws(ApusError) in
        // da = dy·b·a^(b − 1); db = dy·y·ln a, 0 for a ≤ 0 as in TensorFlow
        let a = g.inputs[0], b = g.inputs[1], dy = try g.dy(), one = try g.scalar(1)
        var da: Value?, db: Value?
        if g.wanted[0] {
            let slope = try g(.mul, b, try g(.pow, a, try g(.sub, b, one)))
            da = try g.sum(try g(.mul, dy, slope), like: a)
        }
        if g.wanted[1] {
            let positive = try g(.greater, a, try g.scalar(0))
            let logarithm = try g(.log, try g(Where(), positive, a, one))
            db = try g.sum(try g(.mul, dy, try g(.mul, g.y, logarithm)), like: b)
        }
        return [da, db]
    }
}
