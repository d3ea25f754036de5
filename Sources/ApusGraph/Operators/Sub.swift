import CKernels
import CModelFormat

extension Operator {
    /// y = a − b, broadcast; integers wrap. ONNX: Sub.
    ///
    /// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y of that type.
    public static var sub: Operator { BinaryElementwise(.sub) }
}

extension BinaryRule {
    static let sub = BinaryRule("Sub", APUS__NODE__OPERATOR_SUB, CK_BINARY_SUB) { g throws(ApusError) in
        // da = dy, db = −dy
        let dy = try g.dy()
        return [
            g.wanted[0] ? try g.sum(dy, like: g.inputs[0]) : nil,
            g.wanted[1] ? try g(.neg, try g.sum(dy, like: g.inputs[1])) : nil,
        ]
    }
}
