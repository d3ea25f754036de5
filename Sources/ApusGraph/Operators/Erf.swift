import CKernels
import CModelFormat

/// y = 2/√π · ∫₀ˣ e^(−t²) dt. ONNX: Erf.
///
/// Input: x, f32 or f64. Output: y, shaped like x.
public final class Erf: UnaryElementwise {
    // MARK: Wire

    public static let entry = OperatorEntry("Erf", APUS__NODE__OPERATOR_ERF) { Erf() }
    public override var entry: OperatorEntry { Erf.entry }

    // MARK: Kernel choice

    override var operation: ck_unary_op { CK_UNARY_ERF }
    override var operationsPerElement: Int { 30 }

    // MARK: Gradient

    /// dx = dy·2/√π·e^(−x²)
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        let slope = try g(Exp(), try g(Neg(), try g(Square(), g.x)))
        let factor = try g.scalar(1.128379167095512573896)
        return [try g(Mul(), try g.dy(), try g(Mul(), slope, factor))]
    }
}
