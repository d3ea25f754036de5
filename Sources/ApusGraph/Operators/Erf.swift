import CKernels
import CModelFormat

extension Operator {
    /// y = 2/√π · ∫₀ˣ e^(−t²) dt. ONNX: Erf.
    ///
    /// Input: x, f32 or f64. Output: y, shaped like x.
    public static var erf: Operator { UnaryElementwise(.erf) }
}

extension UnaryRule {
    static let erf = UnaryRule("Erf", APUS__NODE__OPERATOR_ERF, CK_UNARY_ERF, operations: 30) { g throws(ApusError) in
        // dx = dy·2/√π·e^(−x²)
        let slope = try g(.exp, try g(.neg, try g(.square, g.x)))
        let factor = try g.scalar(1.128379167095512573896)
        return [try g(.mul, try g.dy(), try g(.mul, slope, factor))]
    }
}
