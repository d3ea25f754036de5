import ApusGraph

let linearOperators: [OnnxOperator] = [
    OnnxOperator("MatMul") { n throws(ApusError) -> Term in try n.g.product(try n.term(0), try n.term(1)) },
    OnnxOperator("Gemm", gemm),
    OnnxOperator("MatMulInteger", matMulInteger),
    OnnxOperator("Einsum", einsum),
]

/// α·A'·B' + β·C.
private func gemm(_ n: NodeContext) throws(ApusError) -> Term {
    var a = try n.term(0), b = try n.term(1)
    guard a.rank == 2, b.rank == 2 else { throw .shape("A \(a.shape) and B \(b.shape), wanted rank 2") }
    if try n.flag("transA") { a = try n.g.transpose(a, [1, 0]) }
    if try n.flag("transB") { b = try n.g.transpose(b, [1, 0]) }
    let alpha = try n.float("alpha", 1), beta = try n.float("beta", 1)
    if n.has(2), alpha == 1, beta == 1, a.dtype == .f32 || a.dtype == .f64 {
        let c = try n.term(2)
        if c.rank == 1 && c.shape == [b.shape[1]] { return try n.g(Dense(hasBias: true), a, b, c) }
    }
    var y = try n.g.product(a, b)
    if alpha != 1 { y = try n.g.mul(y, try n.g.scalar(Double(alpha), like: y)) }
    guard n.has(2), beta != 0 else { return y }
    var c = try n.term(2)
    if beta != 1 { c = try n.g.mul(c, try n.g.scalar(Double(beta), like: c)) }
    return try n.g.add(y, c)
}

/// (A − a₀)·(B − b₀) of 8-bit integers, as i32.
private func matMulInteger(_ n: NodeContext) throws(ApusError) -> Term {
    let a = try n.imported(0).shape, b = try n.imported(1).shape
    guard a.rank > 0, b.rank > 0 else { throw .shape("a product of \(a) and \(b)") }
    if let sums = try integerSumsOfCodes(n) { return sums }
    return try integerSums(
        n, rows: max(0, a.rank - 2), columns: b.rank - 1, count: a.last, along: SumAxes(x: a.rank - 1, w: max(0, b.rank - 2)),
        n.g.product)
}

extension Emitter {
    /// The matrix product as NumPy defines it: vectors are rows on the left and columns on the right. Of integers it is
    /// computed as f64, exact up to 2⁵³; of more their low bits are the result.
    func product(_ a: Term, _ b: Term) throws(ApusError) -> Term {
        guard a.dtype.isFloat else {
            let y = try product(try cast(a, to: .f64), try cast(b, to: .f64))
            return try cast(try cast(y, to: .i64), to: a.dtype)
        }
        guard a.rank > 0, b.rank > 0 else { throw .shape("a product of \(a.shape) and \(b.shape)") }
        if a.rank == 1 && b.rank == 1 {
            return try squeeze(try product(try unsqueeze(a, [0]), try unsqueeze(b, [1])), [0, 1])
        }
        if a.rank == 1 {
            let y = try product(try unsqueeze(a, [0]), b)
            return try squeeze(y, [y.rank - 2])
        }
        if b.rank == 1 {
            let y = try product(a, try unsqueeze(b, [1]))
            return try squeeze(y, [y.rank - 1])
        }
        if b.rank == 2, case .constant = b.value.operand, a.dtype == .f32 || a.dtype == .f64 {
            return try self(Dense(hasBias: false), a, b)
        }
        let (x, y) = try withEqualBatches(a, b)
        return try matMul(x, y)
    }

    /// Matrices of batches that are equal, or one of which is a single matrix, as the operator takes them.
    private func withEqualBatches(_ a: Term, _ b: Term) throws(ApusError) -> (Term, Term) {
        func batch(_ x: Term, _ sample: Int) -> Shape { Shape(Array(x.types[sample].shape.dimensions.dropLast(2))) }
        let fits = a.types.indices.allSatisfy { batch(a, $0) == batch(b, $0) }
        guard !fits, batch(a, 0).count != 1, batch(b, 0).count != 1 else { return (a, b) }
        var shapes: [Shape] = []
        for sample in a.types.indices { shapes.append(try Shape.broadcast(batch(a, sample), batch(b, sample))) }
        func wide(_ x: Term) throws(ApusError) -> Term {
            try expand(x, to: x.types.indices.map { shapes[$0].dimensions + x.types[$0].shape.dimensions.suffix(2) })
        }
        return (try wide(a), try wide(b))
    }
}

// MARK: Einsum

private func einsum(_ n: NodeContext) throws(ApusError) -> Term {
    let equation = try EinsumEquation(try n.string("equation"), ranks: n.inputs.indices.map { n.inputs[$0]?.shape.rank ?? 0 })
    let terms = try n.terms()
    guard var result = terms.first else { throw .file("no inputs, wanted one or more") }
    var labels = equation.inputs[0]
    (result, labels) = try n.g.diagonal(result, labels)
    for i in terms.indices.dropFirst() {
        let (next, nextLabels) = try n.g.diagonal(terms[i], equation.inputs[i])
        let later = Set(equation.inputs[(i + 1)...].joined()).union(equation.output)
        (result, labels) = try n.g.contract(result, labels, next, nextLabels, keeping: later)
    }
    let summed = labels.indices.filter { !equation.output.contains(labels[$0]) }
    result = try n.g.reduce(.sum, result, summed, keep: false)
    labels = labels.filter { equation.output.contains($0) }
    guard labels.count == equation.output.count else { throw .file("an output index that no input has") }
    return try n.g.transpose(result, equation.output.map { labels.firstIndex(of: $0)! })
}

/// The indices of every operand. Those of an ellipsis are negative, −1 the last.
private struct EinsumEquation {
    var inputs: [[Int]] = []
    var output: [Int] = []

    init(_ text: String, ranks: [Int]) throws(ApusError) {
        let characters = text.filter { $0 != " " }
        let sides = characters.split(separator: "-", omittingEmptySubsequences: false)
        let operands = sides[0].split(separator: ",", omittingEmptySubsequences: false)
        guard operands.count == ranks.count else {
            throw .file("equation '\(text)' of \(operands.count) operands, wanted \(ranks.count)")
        }
        for (operand, rank) in zip(operands, ranks) {
            inputs.append(try EinsumEquation.indices(operand, rank: rank, text))
            guard inputs.last!.count == rank else { throw .file("equation '\(text)' for an operand of rank \(rank)") }
        }
        if sides.count == 2 {
            let ellipsis = inputs.joined().filter { $0 < 0 }.min() ?? 0
            let written = sides[1].dropFirst()
            output = try EinsumEquation.indices(written, rank: written.filter { $0 != "." }.count - ellipsis, text)
        } else {
            let all = Array(inputs.joined())
            output = Set(all).sorted().filter { label in label < 0 || all.count { $0 == label } == 1 }
        }
    }

    private static func indices(_ text: Substring, rank: Int, _ equation: String) throws(ApusError) -> [Int] {
        var result: [Int] = []
        let letters = text.filter { $0 != "." }.count
        var rest = text
        while let character = rest.first {
            if rest.hasPrefix("...") {
                guard rank >= letters else { throw .file("equation '\(equation)' for an operand of rank \(rank)") }
                result += (letters..<rank).map { $0 - rank }
                rest = rest.dropFirst(3)
            } else {
                guard character.isLetter, let scalar = character.unicodeScalars.first else {
                    throw .file("equation '\(equation)'")
                }
                result.append(Int(scalar.value))
                rest = rest.dropFirst()
            }
        }
        return result
    }
}

extension Emitter {
    /// With every index once: of a repeated one the diagonal is taken.
    fileprivate func diagonal(_ x: Term, _ labels: [Int]) throws(ApusError) -> (Term, [Int]) {
        var x = x, labels = labels
        while let second = labels.indices.first(where: { labels[..<$0].contains(labels[$0]) }) {
            let first = labels.firstIndex(of: labels[second])!
            let count = try x.extent(second)
            guard try x.extent(first) == count else { throw .shape("the diagonal of axes \(first) and \(second) of \(x.shape)") }
            try requireTable(count)
            x = try moveAxis(try moveAxis(x, from: first, to: 0), from: second, to: 1)
            let rest = Array(x.shape.dimensions.dropFirst(2))
            let rows = try reshape(x, to: x.shapes.map { [count * count] + $0.dimensions.dropFirst(2) })
            x = try gather(rows, (0..<count).map { $0 * (count + 1) }, axis: 0)
            precondition(x.rank == rest.count + 1)
            let label = labels[second]
            labels.remove(at: second)
            labels.remove(at: first)
            labels.insert(label, at: 0)
        }
        return (x, labels)
    }

    /// Σ a·b over the indices that nothing later reads, as one batched matrix product.
    fileprivate func contract(
        _ a: Term, _ aLabels: [Int], _ b: Term, _ bLabels: [Int], keeping kept: Set<Int>
    ) throws(ApusError) -> (Term, [Int]) {
        let aAlone = aLabels.indices.filter { !kept.contains(aLabels[$0]) && !bLabels.contains(aLabels[$0]) }
        let bAlone = bLabels.indices.filter { !kept.contains(bLabels[$0]) && !aLabels.contains(bLabels[$0]) }
        let a = try reduce(.sum, a, aAlone, keep: false), b = try reduce(.sum, b, bAlone, keep: false)
        let aLabels = aLabels.indices.filter { !aAlone.contains($0) }.map { aLabels[$0] }
        let bLabels = bLabels.indices.filter { !bAlone.contains($0) }.map { bLabels[$0] }
        let batch = aLabels.filter { bLabels.contains($0) && kept.contains($0) }
        let summed = aLabels.filter { bLabels.contains($0) && !kept.contains($0) }
        let rows = aLabels.filter { !bLabels.contains($0) }, columns = bLabels.filter { !aLabels.contains($0) }

        func grouped(_ x: Term, _ labels: [Int], _ first: [Int], _ second: [Int]) throws(ApusError) -> Term {
            let order = (batch + first + second).map { labels.firstIndex(of: $0)! }
            let moved = try transpose(x, order)
            let k = batch.count, m = k + first.count
            return try reshape(moved, to: moved.shapes.map {
                $0.dimensions[..<k] + [$0.product(k..<m), $0.product(m..<$0.rank)]
            })
        }
        func extents(_ x: Term, _ labels: [Int], _ names: [Int], _ sample: Int) -> [Int] {
            names.map { x.types[sample].shape[labels.firstIndex(of: $0)!] }
        }
        let y = try product(try grouped(a, aLabels, rows, summed), try grouped(b, bLabels, summed, columns))
        let shapes = y.types.indices.map { sample in
            y.types[sample].shape.dimensions.prefix(batch.count) + extents(a, aLabels, rows, sample)
                + extents(b, bLabels, columns, sample)
        }
        return (try reshape(y, to: shapes.map { Array($0) }), batch + rows + columns)
    }
}
