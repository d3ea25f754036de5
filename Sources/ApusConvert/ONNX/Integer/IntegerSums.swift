import ApusGraph

/// f32 holds every integer of less magnitude.
private let exactLimit = 1 << 24

/// The axis of x and that of w along which products are summed; of `groups` parts of x, if a part of w's columns reads one each.
struct SumAxes {
    let x, w: Int
    var groups = 1
}

/// Σ (x − x₀)·(w − w₀) of 8-bit integers, as i32: x, w and their zero points are inputs 0 to 3.
///
/// `product` makes the sums of f32, each exact. Where f32 might not hold one, it is given w digit by digit,
/// w − w₀ = Σ 2ᵇⁱ·digitᵢ, and where that is not enough, as many of the products at once as have exact sums.
///
/// - Parameters:
///   - rows, columns: the axes of x and w that have a zero point for each index, if it is more than one number.
///   - count: of products in a sum, at most.
///   - axes: along which the sums are parted.
func integerSums(
    _ n: NodeContext, rows: Int, columns: Int, count: Int, along axes: SumAxes,
    _ product: (Term, Term) throws(ApusError) -> Term
) throws(ApusError) -> Term {
    let g = n.g, x = try centered(n, 0, axis: rows), w = try centered(n, 1, axis: columns)
    if try 255 * largestSum(n, columns, count) < exactLimit { return try g.cast(try product(x, w), to: .i32) }
    /// Of the longest sum whose digits are of one bit.
    let longest = (exactLimit - 1) / 510
    if count <= longest { return try sumOfDigits(g, x, w, count, product) }
    let extent = try w.extent(axes.w), each = count / max(1, extent), length = longest / max(1, each)
    guard length > 0 else { throw .unsupported("sums of \(each) products of integers at an index, wanted at most \(longest)") }
    var sum: Term?
    for first in stride(from: 0, to: extent, by: length) {
        let part = first..<min(first + length, extent)
        let places = (0..<axes.groups).flatMap { group in part.map { group * extent + $0 } }
        let left = axes.groups == 1
            ? try g.slice(x, axis: axes.x, part.lowerBound, part.upperBound) : try g.gather(x, places, axis: axes.x)
        let right = try g.slice(w, axis: axes.w, part.lowerBound, part.upperBound)
        let y = try sumOfDigits(g, left, right, part.count * each, product)
        sum = try sum.map { s throws(ApusError) in try g.add(s, y) } ?? y
    }
    return sum!
}

/// Sums of `count` products, at most as many as are exact with digits of one bit.
private func sumOfDigits(
    _ g: Emitter, _ x: Term, _ w: Term, _ count: Int, _ product: (Term, Term) throws(ApusError) -> Term
) throws(ApusError) -> Term {
    let bits = (1..<9).last { 255 * count << $0 < exactLimit }!
    var rest = w, sum: Term?
    for shift in stride(from: 0, to: 9, by: bits) {
        var digit = rest
        if shift + bits < 9 {
            let base = try g.scalar(Double(1 << bits), .f32)
            rest = try g.floor(try g.div(digit, base))
            digit = try g.sub(digit, try g.mul(rest, base))
        }
        var part = try g.cast(try product(x, digit), to: .i32)
        if shift > 0 { part = try g.mul(part, try g.scalar(Double(1 << shift), .i32)) }
        sum = try sum.map { s throws(ApusError) in try g.add(s, part) } ?? part
    }
    return sum!
}

/// The same for constant w [K, N], which stays codes: as many rows at once as have sums that are exact.
func integerSumsOfCodes(_ n: NodeContext) throws(ApusError) -> Term? {
    guard n.isKnown(1), !n.has(3) || n.isKnown(3) else { return nil }
    let g = n.g, w = try n.known(1), shape = w.type.shape, shift = w.type.dtype == .u8 ? 128 : 0
    try requireBytes(n, 1)
    let zeros = n.has(3) ? try n.known(3).integers() : [0]
    guard shape.rank == 2, shape.count > 0, zeros.count == 1 || zeros.count == shape[1] else { return nil }
    let rows = shape[0], columns = shape[1], values = try w.integers()
    let columnZeros = zeros.count == 1 ? [Int](repeating: zeros[0], count: columns) : zeros
    let x = try centered(n, 0, axis: max(0, try n.rank(0) - 2))
    var sum: Term?, first = 0
    while first < rows {
        var end = first, sums = [Int](repeating: 0, count: columns)
        while end < rows {
            for column in 0..<columns { sums[column] += abs(values[end * columns + column] - columnZeros[column]) }
            if 255 * sums.max()! >= exactLimit { break }
            end += 1
        }
        let codes = BlockCodes(
            w.name, values[first * columns..<end * columns].map { $0 - shift }, rows: end - first, columns: columns,
            isNarrow: false, block: 0, scales: sums.map { _ in 1 }, zeros: columnZeros.map { $0 - shift })
        let part = try g.slice(x, axis: x.rank - 1, first, end == rows ? Int(Int32.max) : end)
        let y = try g.cast(try codes.product(part, nil, g), to: .i32)
        sum = try sum.map { s throws(ApusError) in try g.add(s, y) } ?? y
        first = end
    }
    return sum
}

/// An input and its zero point are integers of 8 bits.
private func requireBytes(_ n: NodeContext, _ input: Int) throws(ApusError) {
    let dtype = try n.dtype(input)
    guard dtype == .i8 || dtype == .u8 else { throw .file("input \(input) of \(dtype.name), wanted i8 or u8") }
    guard n.has(input + 2) else { return }
    let zero = try n.dtype(input + 2)
    guard zero == dtype else { throw .file("a zero point of \(zero.name), wanted \(dtype.name)") }
}

/// An input less its zero point, as f32.
private func centered(_ n: NodeContext, _ input: Int, axis: Int) throws(ApusError) -> Term {
    try requireBytes(n, input)
    let x = try n.g.cast(try n.term(input), to: .f32)
    guard n.has(input + 2) else { return x }
    var zero = try n.g.cast(try n.term(input + 2), to: .f32)
    if zero.rank == 1 {
        guard (0..<x.rank).contains(axis) else { throw .shape("zero points \(zero.shape) of \(x.shape)") }
        var shape = [Int](repeating: 1, count: x.rank)
        shape[axis] = try zero.extent(0)
        zero = try n.g.reshape(zero, shape)
    }
    return try n.g.sub(x, zero)
}

/// The largest sum of |w − w₀| over a column; what it may be at most, where it is not known.
private func largestSum(_ n: NodeContext, _ axis: Int, _ count: Int) throws(ApusError) -> Int {
    guard n.isKnown(1), !n.has(3) || n.isKnown(3) else { return 255 * count }
    let w = try n.known(1), shape = w.type.shape, zeros = n.has(3) ? try n.known(3).integers() : [0]
    guard (0..<shape.rank).contains(axis), zeros.count == 1 || zeros.count == shape[axis] else { return 255 * count }
    let stride = shape.product(axis + 1..<shape.rank)
    var sums = [Int](repeating: 0, count: shape[axis])
    for (i, value) in try w.integers().enumerated() {
        let column = i / stride % shape[axis]
        sums[column] += abs(value - zeros[zeros.count == 1 ? 0 : column])
    }
    return sums.max() ?? 0
}
