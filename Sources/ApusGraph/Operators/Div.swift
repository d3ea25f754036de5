import CKernels
import CModelFormat

extension Operator {
    /// y = a / b, broadcast; integers toward zero, x / 0 = 0. ONNX: Div.
    ///
    /// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y of that type.
    public static var div: Operator { BinaryElementwise(.div) }
}

extension BinaryRule {
    static let div = BinaryRule("Div", APUS__NODE__OPERATOR_DIV, CK_BINARY_DIV, operations: 4) { g throws(ApusError) in
        // da = dy / b, db = −da·y
        let a = g.inputs[0], b = g.inputs[1]
        let quotient = try g(.div, try g.dy(), b)
        return [
            g.wanted[0] ? try g.sum(quotient, like: a) : nil,
            g.wanted[1] ? try g(.neg, try g.sum(try g(.mul, quotient, g.y), like: b)) : nil,
        ]
    }
}
