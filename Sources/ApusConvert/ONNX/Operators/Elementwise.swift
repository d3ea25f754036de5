import ApusGraph

let elementwiseOperators: [OnnxOperator] = arithmeticOperators + mathOperators + comparisonOperators + typeOperators

private let typeOperators: [OnnxOperator] = [
    OnnxOperator("Cast", cast),
    OnnxOperator("CastLike", castLike),
    OnnxOperator("Dropout", dropout),
    OnnxOperator("Identity") { n throws(ApusError) -> [ImportedValue] in [try n.imported(0)] },
]

private let arithmeticOperators: [OnnxOperator] = [
    OnnxOperator("Add", binary: Emitter.add),
    OnnxOperator("Sub", binary: Emitter.sub),
    OnnxOperator("Mul", binary: Emitter.mul),
    OnnxOperator("Div", binary: Emitter.div),
    OnnxOperator("Pow", power),
    OnnxOperator("Mod", modulo),
    OnnxOperator("Sum", sum),
    OnnxOperator("Mean") { n throws(ApusError) -> Term in
        let total = try sum(n)
        return try n.g.div(total, try n.g.scalar(Double(n.inputs.count), like: total))
    },
    OnnxOperator("Max") { n throws(ApusError) -> Term in try reduced(n, n.g.maximum) },
    OnnxOperator("Min") { n throws(ApusError) -> Term in try reduced(n, n.g.minimum) },
    OnnxOperator("BitShift", bitShift),
    OnnxOperator("SwiGLU") { n throws(ApusError) -> Term in
        let a = try n.term(0), alpha = try n.g.scalar(Double(try n.float("alpha", 1)), like: a)
        return try n.g.mul(try n.g.mul(a, try n.g.sigmoid(try n.g.mul(alpha, a))), try n.term(1))
    },
    OnnxOperator("Where") { n throws(ApusError) -> Term in
        try n.g.select(try n.term(0), try n.term(1), try n.term(2))
    },
]

private let mathOperators: [OnnxOperator] = [
    OnnxOperator("Neg", unary: Emitter.neg),
    OnnxOperator("Abs", unary: Emitter.abs),
    OnnxOperator("Sign", unary: Emitter.sign),
    OnnxOperator("Exp", unary: Emitter.exp),
    OnnxOperator("Log", unary: Emitter.log),
    OnnxOperator("Sqrt", unary: Emitter.sqrt),
    OnnxOperator("Reciprocal", unary: Emitter.reciprocal),
    OnnxOperator("Floor", unary: Emitter.floor),
    OnnxOperator("Ceil", unary: Emitter.ceil),
    OnnxOperator("Round", unary: Emitter.round),
    OnnxOperator("Erf", unary: Emitter.erf),
    OnnxOperator("Sin", unary: Emitter.sin),
    OnnxOperator("Cos", unary: Emitter.cos),
    OnnxOperator("Tan", unary: Emitter.tan),
    OnnxOperator("Sinh", unary: Emitter.sinh),
    OnnxOperator("Cosh", unary: Emitter.cosh),
    OnnxOperator("Asinh", unary: Emitter.asinh),
    OnnxOperator("Acosh", unary: Emitter.acosh),
    OnnxOperator("Atanh", unary: Emitter.atanh),
]

private let comparisonOperators: [OnnxOperator] = [
    OnnxOperator("Equal", binary: Emitter.equal),
    OnnxOperator("Less", binary: Emitter.less),
    OnnxOperator("LessOrEqual", binary: Emitter.lessOrEqual),
    OnnxOperator("Greater", binary: Emitter.greater),
    OnnxOperator("GreaterOrEqual", binary: Emitter.greaterOrEqual),
    OnnxOperator("And", binary: Emitter.and),
    OnnxOperator("Or", binary: Emitter.or),
    OnnxOperator("Xor", binary: Emitter.xor),
    OnnxOperator("Not", unary: Emitter.not),
    OnnxOperator("IsNaN") { n throws(ApusError) -> Term in
        let x = try n.term(0)
        return try n.g.not(try n.g.equal(x, x))
    },
    OnnxOperator("IsInf", isInf),
]

private func reduced(
    _ n: NodeContext, _ combine: (Term, Term) throws(ApusError) -> Term
) throws(ApusError) -> Term {
    let terms = try n.terms()
    guard var result = terms.first else { throw .file("no inputs, wanted one or more") }
    for term in terms.dropFirst() { result = try combine(result, term) }
    return result
}

private func sum(_ n: NodeContext) throws(ApusError) -> Term { try reduced(n, n.g.add) }

/// xʸ of x's type, whatever y's is.
private func power(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), y = try n.term(1)
    if x.dtype == y.dtype { return try n.g.pow(x, y) }
    if !x.dtype.isFloat && y.dtype.isFloat {
        let wide: DType = y.dtype == .f64 ? .f64 : .f32
        return try n.g.cast(try n.g.pow(try n.g.cast(x, to: wide), try n.g.cast(y, to: wide)), to: x.dtype)
    }
    return try n.g.pow(x, try n.g.cast(y, to: x.dtype))
}

/// a − b·⌊a/b⌋, or with `fmod` a − b·trunc(a/b).
private func modulo(_ n: NodeContext) throws(ApusError) -> Term {
    let a = try n.term(0), b = try n.term(1)
    let truncates = try n.flag("fmod")
    return try n.g.computing([a, b], in: .arithmetic) { terms throws(ApusError) in
        try n.g.remainder(terms[0], terms[1], truncating: truncates)
    }
}

private func bitShift(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0), count = try n.term(1)
    guard x.dtype != .i64 else { throw .unsupported("BitShift of i64") }
    switch try n.string("direction") {
    case "LEFT": return try n.g.mul(x, try n.g.pow(try n.g.scalar(2, like: count), count))
    case "RIGHT": return try shiftedRight(n, x, count)
    case let direction: throw .file("direction '\(direction)', wanted LEFT or RIGHT")
    }
}

/// ⌊x/2ᵏ⌋, of which nothing but the sign is left at k of the type's width or more.
private func shiftedRight(_ n: NodeContext, _ x: Term, _ count: Term) throws(ApusError) -> Term {
    let width = Double(x.dtype.bitWidth)
    let wide = try n.g.cast(x, to: .f64)
    let limited = try n.g.cast(try n.g.minimum(count, try n.g.scalar(width - 1, like: count)), to: .f64)
    let isBeyond = try n.g.less(count, try n.g.scalar(0, like: count))
    let shift = try n.g.select(isBeyond, try n.g.scalar(width - 1, .f64), limited)
    return try n.g.cast(try n.g.floor(try n.g.div(wide, try n.g.pow(try n.g.scalar(2, .f64), shift))), to: x.dtype)
}

private func isInf(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.g.widened(try n.term(0), .real)
    let infinity = try n.g.scalar(.infinity, like: x)
    switch (try n.flag("detect_negative", true), try n.flag("detect_positive", true)) {
    case (true, true): return try n.g.equal(try n.g.abs(x), infinity)
    case (true, false): return try n.g.equal(x, try n.g.neg(infinity))
    case (false, true): return try n.g.equal(x, infinity)
    case (false, false): return try n.g.less(infinity, try n.g.abs(x))
    }
}

private func cast(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let dtype = try n.elementType("to")
    if try n.dtype(0) == dtype { return [try n.imported(0)] }
    if let unpacked = try unpackedHalves(n, to: dtype) { return [unpacked] }
    return [ImportedValue(try n.g.cast(try n.term(0), to: dtype))]
}

private func castLike(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let dtype = try n.dtype(1)
    if try n.dtype(0) == dtype { return [try n.imported(0)] }
    if let unpacked = try unpackedHalves(n, to: dtype) { return [unpacked] }
    return [ImportedValue(try n.g.cast(try n.term(0), to: dtype))]
}

/// Known elements of half a byte, which no operator takes, as another type.
private func unpackedHalves(_ n: NodeContext, to dtype: DType) throws(ApusError) -> ImportedValue? {
    guard try n.dtype(0).bitWidth == 4, n.isKnown(0) else { return nil }
    let x = try n.known(0)
    return ImportedValue(try Constant(x.name, dtype, x.type.shape.dimensions, try x.elements()))
}

/// As in inference: x, and a mask that keeps everything.
private func dropout(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    if n.has(2) {
        let isTraining = try n.number(2) != 0, ratio = n.has(1) ? try n.number(1) : 0.5
        guard !isTraining || ratio == 0 else { throw .unsupported("Dropout in training mode") }
    }
    let x = try n.imported(0)
    guard n.node.outputs.count > 1 else { return [x] }
    let mask: DType = n.version >= 10 ? .bool : x.dtype
    let ones = try n.g.expand(try n.g.scalar(1, mask), to: try n.types(0).map { $0.shape.dimensions })
    return [x, ImportedValue(ones)]
}

extension Emitter {
    func tan(_ x: Term) throws(ApusError) -> Term { try div(try sin(x), try cos(x)) }

    /// a − b·q with q = ⌊a/b⌋ or a/b toward zero; of the sign of b or of a.
    func remainder(_ a: Term, _ b: Term, truncating: Bool) throws(ApusError) -> Term {
        if a.dtype.isFloat {
            let quotient = try div(a, b)
            let rest = try sub(a, try mul(b, truncating ? try truncate(quotient) : try floor(quotient)))
            // Of a finite number and an infinite one the quotient is 0, or −1 where ⌊⌋ makes it so.
            let infinity = try scalar(.infinity, like: a)
            let isWhole = try and(try equal(try abs(b), infinity), try less(try abs(a), infinity))
            let isOpposite = try less(try mul(try sign(a), try sign(b)), try scalar(0, like: a))
            return try select(isWhole, truncating ? a : try select(isOpposite, b, a), rest)
        }
        // The quotient of integers is toward zero.
        let rest = try sub(a, try mul(b, try div(a, b)))
        if truncating || a.dtype == .u8 { return rest }
        let zero = try scalar(0, like: rest)
        let differs = try xor(try less(rest, zero), try less(b, zero))
        let wrong = try and(differs, try not(try equal(rest, zero)))
        return try select(wrong, try add(rest, b), rest)
    }
}
