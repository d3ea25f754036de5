import CKernels
import CModelFormat

extension Operator {
    /// y = the less of a and b, broadcast; NaN where either is. ONNX: Min of two.
    ///
    /// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y of that type.
    public static var minimum: Operator { BinaryElementwise(.minimum) }
}

extension BinaryRule {
    static let minimum = BinaryRule("Min", APUS__NODE__OPERATOR_MIN, CK_BINARY_MIN) { g throws(ApusError) in
        // Half to each operand at ties.
        try g.selection(.less)
    }
}
