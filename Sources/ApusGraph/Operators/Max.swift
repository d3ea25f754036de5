import CKernels
import CModelFormat

extension Operator {
    /// y = the greater of a and b, broadcast; NaN where either is. ONNX: Max of two.
    ///
    /// Inputs: a, b of one type: f32, f64, i8, u8, i32 or i64. Output: y of that type.
    public static var maximum: Operator { BinaryElementwise(.maximum) }
}

extension BinaryRule {
    static let maximum = BinaryRule("Max", APUS__NODE__OPERATOR_MAX, CK_BINARY_MAX) { g throws(ApusError) in
        // Half to each operand at ties.
        try g.selection(.greater)
    }
}
