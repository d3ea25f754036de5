import ApusGraph

let bitwiseOperators: [OnnxOperator] = [
    OnnxOperator("BitwiseAnd", binary: Emitter.bitwiseAnd),
    OnnxOperator("BitwiseOr", binary: Emitter.bitwiseOr),
    OnnxOperator("BitwiseXor", binary: Emitter.bitwiseXor),
    OnnxOperator("BitwiseNot") { n throws(ApusError) -> Term in
        let x = try n.term(0)
        return try n.g.bitwiseXor(x, try n.g.scalar(x.dtype == .u8 ? 255 : x.dtype == .u16 ? 65535 : -1, like: x))
    },
]

extension Emitter {
    func bitwiseAnd(_ a: Term, _ b: Term) throws(ApusError) -> Term { try bitwise(.and, a, b) }
    func bitwiseOr(_ a: Term, _ b: Term) throws(ApusError) -> Term { try bitwise(.or, a, b) }
    func bitwiseXor(_ a: Term, _ b: Term) throws(ApusError) -> Term { try bitwise(.xor, a, b) }

    private func bitwise(_ op: Operator, _ a: Term, _ b: Term) throws(ApusError) -> Term {
        try computing([a, b], in: [.i8, .u8, .i32, .i64]) { terms throws(ApusError) in try self.emit(op, terms)[0] }
    }
}
