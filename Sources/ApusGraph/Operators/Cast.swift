import CKernels
import CModelFormat

/// y = x as another type. Floats round to nearest, halves to even; a float becomes an integer toward zero, at the end
/// of the range beyond it, and 0 from NaN; integers keep their low bits; bool is x ≠ 0. ONNX: Cast.
///
/// Input: x, any type of whole bytes. Output: y, of such a type.
public final class Cast: Operator {
    public let dtype: DType

    public init(_ dtype: DType) { self.dtype = dtype }

    // MARK: Wire

    public static let entry = OperatorEntry("Cast", APUS__NODE__OPERATOR_CAST) { node throws(ApusError) in
        let number = node.cast.pointee.dtype.rawValue
        guard let dtype = DType(rawValue: number) else { throw .file("cast to type \(number)") }
        return Cast(dtype)
    }
    public override var entry: OperatorEntry { Cast.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.cast = wire.message(apus__cast__init) { $0.dtype = Apus__DType(dtype.rawValue) }
    }

    // MARK: Shape rule

    /// Equal sizes in bytes mean elements of equal size.
    public override func mayOverwrite(input: Int, output: Int) -> Bool { true }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let y = TensorType(dtype, inputs[0].shape)
        try inputs[0].requireMovable("x", codes: false)
        try y.requireMovable("y")
        return [y]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let count = site.inputs[0].shape.count
        var params = ck_cast_params(count: Int64(count), from: Int32(site.dtype.rawValue), to: Int32(dtype.ck.rawValue))
        return try KernelPlan(
            ck_cast(site.dtype, dtype.ck, site.isa), params, units: ck_cast_units(&params), at: site,
            operations: count)
    }

    // MARK: Gradient

    /// dx = dy in x's type; none flows to or from numbers that are not real.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        guard dtype.isFloat && g.x.type.dtype.isFloat else { return [nil] }
        return [try g(Cast(g.x.type.dtype), try g.dy())]
    }
}
