import CKernels

/// A set of element types.
struct DTypes: Sendable {
    let bits: UInt32

    static var floats: DTypes { DTypes(.f32) | DTypes(.f64) }
    /// Floats and the integers that unary kernels know.
    static var signed: DTypes { floats | DTypes(.i32) | DTypes(.i64) }
    /// What arithmetic and order are defined on.
    static var numbers: DTypes { signed | DTypes(.i8) | DTypes(.u8) }
    static var bool: DTypes { DTypes(.bool) }
    /// What is combined bit by bit.
    static var bits: DTypes { bool | DTypes(.i8) | DTypes(.u8) | DTypes(.i32) | DTypes(.i64) }

    init(_ dtype: DType) { bits = 1 << dtype.rawValue }
    private init(bits: UInt32) { self.bits = bits }

    static func | (a: DTypes, b: DTypes) -> DTypes { DTypes(bits: a.bits | b.bits) }

    func contains(_ dtype: DType) -> Bool { bits >> dtype.rawValue & 1 != 0 }

    /// "f32, i32 or i64"
    var names: Message {
        var rest = bits, names = Message.StringInterpolation(literalCapacity: 0, interpolationCount: 0)
        while rest != 0 {
            guard let dtype = DType(rawValue: UInt32(rest.trailingZeroBitCount)) else { break }
            rest &= rest - 1
            if rest != bits & (bits &- 1) { names.appendLiteral(rest == 0 ? " or " : ", ") }
            names.appendInterpolation(dtype.name)
        }
        return Message(stringInterpolation: names)
    }
}

extension TensorType {
    /// Plain, unquantized, and of one of these types.
    func require(_ what: String, oneOf dtypes: DTypes) throws(ApusError) {
        try require(what)
        guard dtypes.contains(dtype) else { throw .shape("\(what) of type \(dtype.name), wanted \(dtypes.names)") }
    }
}

extension Shape {
    /// The extents for the kernels that broadcast: 1 in front up to `rank` of them.
    func aligned(to rank: Int) -> [Int64] {
        [Int64](repeating: 1, count: rank - self.rank) + dimensions.map { Int64($0) }
    }
}

extension ck_binary_params {
    /// Of a and b broadcast to y.
    init(_ a: Shape, _ b: Shape, to y: Shape) {
        guard y.count > 0 else {
            self.init()
            rank = 1
            return
        }
        self = ck_binary_broadcast(Int32(y.rank), a.aligned(to: y.rank), b.aligned(to: y.rank))
    }
}

extension KernelSite {
    /// A launch of a unary operation over an operand of `type`.
    func unary(
        _ operation: ck_unary_op, _ type: TensorType, alpha: Float = 0, beta: Float = 0, _ x: KernelOperand,
        _ y: KernelOperand
    ) throws(ApusError) -> Launch {
        var params = ck_unary_params(count: Int64(type.shape.count), alpha: Double(alpha), beta: Double(beta))
        return try Launch(ck_unary(operation, type.dtype.ck, isa), params, units: ck_unary_units(&params), [x, y])
    }

    /// A launch of a binary operation over operands of `dtype`, a of shape `a` and b of shape `b` broadcast to `y`.
    func binary(
        _ operation: ck_binary_op, _ dtype: DType, _ a: Shape, _ b: Shape, to y: Shape, _ operands: [KernelOperand]
    ) throws(ApusError) -> Launch {
        var params = ck_binary_params(a, b, to: y)
        return try Launch(
            ck_binary(operation, dtype.ck, isa), params, units: ck_binary_units(&params), operands)
    }
}
