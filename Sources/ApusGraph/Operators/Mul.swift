import CKernels
import CModelFormat

extension Operator {
    /// y = a·b, broadcast; integers wrap. ONNX: Mul.
    ///
    /// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y of that type.
    public static var mul: Operator { BinaryElementwise(.mul) }
}

extension BinaryRule {
    static let mul = BinaryRule("Mul", APUS__NODE__OPERATOR_MUL, CK_BINARY_MUL) { g throws(ApusError) in
        // da = dy·b, db = dy·a
        let dy = try g.dy(), a = g.inputs[0], b = g.inputs[1]
        return [
            g.wanted[0] ? try g.sum(try g(.mul, dy, b), like: a) : nil,
            g.wanted[1] ? try g.sum(try g(.mul, dy, a), like: b) : nil,
        ]
    }
}
