import ApusGraph

/// Elementwise operators on terms of any type: where no kernel takes the type, f16 and bf16 are computed as f32 and
/// small integers as i32, and the result is rounded back.
extension Emitter {
    // MARK: Two operands

    func add(_ a: Term, _ b: Term) throws(ApusError) -> Term { try binary(.add, a, b) }
    func sub(_ a: Term, _ b: Term) throws(ApusError) -> Term { try binary(.sub, a, b) }
    func mul(_ a: Term, _ b: Term) throws(ApusError) -> Term { try binary(.mul, a, b) }
    func div(_ a: Term, _ b: Term) throws(ApusError) -> Term { try binary(.div, a, b) }
    func maximum(_ a: Term, _ b: Term) throws(ApusError) -> Term { try binary(.maximum, a, b) }
    func minimum(_ a: Term, _ b: Term) throws(ApusError) -> Term { try binary(.minimum, a, b) }
    func pow(_ a: Term, _ b: Term) throws(ApusError) -> Term { try binary(.pow, a, b) }

    func equal(_ a: Term, _ b: Term) throws(ApusError) -> Term { try compare(.equal, a, b, withBool: true) }
    func less(_ a: Term, _ b: Term) throws(ApusError) -> Term { try compare(.less, a, b) }
    func lessOrEqual(_ a: Term, _ b: Term) throws(ApusError) -> Term { try compare(.lessOrEqual, a, b) }
    func greater(_ a: Term, _ b: Term) throws(ApusError) -> Term { try compare(.greater, a, b) }
    func greaterOrEqual(_ a: Term, _ b: Term) throws(ApusError) -> Term { try compare(.greaterOrEqual, a, b) }
    func and(_ a: Term, _ b: Term) throws(ApusError) -> Term { try self(.and, a, b) }
    func or(_ a: Term, _ b: Term) throws(ApusError) -> Term { try self(.or, a, b) }
    func xor(_ a: Term, _ b: Term) throws(ApusError) -> Term { try self(.xor, a, b) }
    func not(_ x: Term) throws(ApusError) -> Term { try self(.not, x) }

    func select(_ condition: Term, _ a: Term, _ b: Term) throws(ApusError) -> Term { try self(Where(), condition, a, b) }

    // MARK: One operand

    func neg(_ x: Term) throws(ApusError) -> Term { try unary(.neg, x, .signed) }
    func abs(_ x: Term) throws(ApusError) -> Term {
        x.dtype == .u8 || x.dtype == .u16 ? x : try unary(.abs, x, .signed)
    }
    func sign(_ x: Term) throws(ApusError) -> Term { try unary(.sign, x, .signed) }
    func square(_ x: Term) throws(ApusError) -> Term { try unary(.square, x, .signed) }
    func exp(_ x: Term) throws(ApusError) -> Term { try unary(.exp, x) }
    func log(_ x: Term) throws(ApusError) -> Term { try unary(.log, x) }
    func sqrt(_ x: Term) throws(ApusError) -> Term { try unary(.sqrt, x) }
    func reciprocal(_ x: Term) throws(ApusError) -> Term { try unary(.reciprocal, x) }
    func floor(_ x: Term) throws(ApusError) -> Term { try unary(.floor, x) }
    func ceil(_ x: Term) throws(ApusError) -> Term { try unary(.ceil, x) }
    func round(_ x: Term) throws(ApusError) -> Term { try unary(.round, x) }
    func erf(_ x: Term) throws(ApusError) -> Term { try unary(.erf, x) }
    func sin(_ x: Term) throws(ApusError) -> Term { try unary(.sin, x) }
    func cos(_ x: Term) throws(ApusError) -> Term { try unary(.cos, x) }

    /// Whether elements are other than 0.
    func isNonzero(_ x: Term) throws(ApusError) -> Term { try not(try equal(x, try scalar(0, like: x))) }

    func relu(_ x: Term) throws(ApusError) -> Term { try activation(.relu, x, .signed) }
    func leakyRelu(_ x: Term, alpha: Float) throws(ApusError) -> Term { try activation(.leakyRelu(alpha: alpha), x) }
    func elu(_ x: Term, alpha: Float) throws(ApusError) -> Term { try activation(.elu(alpha: alpha), x) }
    func sigmoid(_ x: Term) throws(ApusError) -> Term { try activation(.sigmoid, x) }
    func tanh(_ x: Term) throws(ApusError) -> Term { try activation(.tanh, x) }
    func gelu(_ x: Term, tanh: Bool) throws(ApusError) -> Term { try activation(tanh ? .geluTanh : .gelu, x) }
    func silu(_ x: Term) throws(ApusError) -> Term { try activation(.silu, x) }
    func hardSwish(_ x: Term) throws(ApusError) -> Term { try activation(.hardSwish, x) }
    func softplus(_ x: Term) throws(ApusError) -> Term { try activation(.softplus, x) }
    func clip(_ x: Term, _ minimum: Float, _ maximum: Float) throws(ApusError) -> Term {
        try activation(.clip(minimum: minimum, maximum: maximum), x, .signed)
    }
    /// f16 and bf16 are rounded after each step, as their own arithmetic does.
    func softmax(_ x: Term, axis: Int) throws(ApusError) -> Term {
        guard x.dtype == .f16 || x.dtype == .bf16 else { return try unary(Softmax(axis: axis), x) }
        let axis = try x.axis(axis)
        let powers = try exp(try sub(x, try reduce(.max, x, [axis], keep: true)))
        return try div(powers, try reduce(.sum, powers, [axis], keep: true))
    }
    func logSoftmax(_ x: Term, axis: Int) throws(ApusError) -> Term { try unary(LogSoftmax(axis: axis), x) }

    /// Toward zero.
    func truncate(_ x: Term) throws(ApusError) -> Term { try mul(try sign(x), try floor(try abs(x))) }

    // MARK: Types

    func cast(_ x: Term, to dtype: DType) throws(ApusError) -> Term {
        x.dtype == dtype ? x : try self(Cast(dtype), x)
    }

    /// A scalar of a type.
    func scalar(_ value: Double, _ dtype: DType) throws(ApusError) -> Term {
        constant(try Constant("", dtype, [], [value]))
    }

    /// A scalar of the type of `x`.
    func scalar(_ value: Double, like x: Term) throws(ApusError) -> Term { try scalar(value, x.dtype) }

    private func binary(_ op: Operator, _ a: Term, _ b: Term) throws(ApusError) -> Term {
        try computing([a, b], in: .arithmetic) { terms throws(ApusError) in try self.emit(op, terms)[0] }
    }

    private func compare(_ op: Operator, _ a: Term, _ b: Term, withBool: Bool = false) throws(ApusError) -> Term {
        let types: [DType] = withBool ? .arithmetic + [.bool] : .arithmetic
        return try self.emit(op, [try widened(a, types), try widened(b, types)])[0]
    }

    func activation(_ a: Activation, _ x: Term, _ types: [DType] = .real) throws(ApusError) -> Term {
        try unary(ActivationOperator(a), x, types)
    }

    private func unary(_ op: Operator, _ x: Term, _ types: [DType] = .real) throws(ApusError) -> Term {
        try computing([x], in: types) { terms throws(ApusError) in try self.emit(op, terms)[0] }
    }

    /// Computes with operands in one of `types` and rounds the result back to theirs.
    func computing(
        _ terms: [Term], in types: [DType], _ body: ([Term]) throws(ApusError) -> Term
    ) throws(ApusError) -> Term {
        var wide: [Term] = []
        for term in terms { wide.append(try widened(term, types)) }
        return try cast(try body(wide), to: terms[0].dtype)
    }

    /// The same numbers in one of `types`.
    func widened(_ x: Term, _ types: [DType]) throws(ApusError) -> Term {
        if types.contains(x.dtype) { return x }
        switch x.dtype {
        case .f16, .bf16: return try cast(x, to: .f32)
        case .i8, .u8, .i16, .u16: return try cast(x, to: types.contains(.i32) ? .i32 : .f32)
        default: throw .unsupported("elements of type \(x.dtype.name)")
        }
    }
}

extension [DType] {
    static var real: [DType] { [.f32, .f64] }
    static var signed: [DType] { [.f32, .f64, .i32, .i64] }
    static var arithmetic: [DType] { [.f32, .f64, .i8, .u8, .i32, .i64] }
}

extension DType {
    /// Whether `equal` takes it.
    var isWidenable: Bool { ([.bool, .f16, .bf16, .i16, .u16] + .arithmetic).contains(self) }
}
