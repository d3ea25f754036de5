import CKernels
import CModelFormat

extension Operator {
    /// y = a + b, broadcast; integers wrap. ONNX: Add.
    ///
    /// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y of that type.
    public static var add: Operator { BinaryElementwise(.add) }
}

extension BinaryRule {
    static let add = BinaryRule("Add", APUS__NODE__OPERATOR_ADD, CK_BINARY_ADD) { g throws(ApusError) in
        // da = db = dy
        let dy = try g.dy()
        return [
            g.wanted[0] ? try g.sum(dy, like: g.inputs[0]) : nil,
            g.wanted[1] ? try g.sum(dy, like: g.inputs[1]) : nil,
        ]
    }
}
