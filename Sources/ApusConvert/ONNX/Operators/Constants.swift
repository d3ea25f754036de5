import ApusGraph
import Foundation

/// What is known at conversion, whatever the inputs' elements are.
let constantOperators: [OnnxOperator] = [
    OnnxOperator("Constant") { n throws(ApusError) in [ImportedValue(try constantNode(n))] },
    OnnxOperator("ConstantOfShape", constantOfShape),
    OnnxOperator("Shape", shape),
    OnnxOperator("Size") { n throws(ApusError) in
        ImportedValue.samples(try n.types(0).map { Constant("", TensorType(.i64, []), scalar: $0.shape.count) })
    },
    OnnxOperator("Range", range),
    OnnxOperator("EyeLike", eyeLike),
    OnnxOperator("Trilu", trilu),
    OnnxOperator("HannWindow") { n throws(ApusError) in try window(n, [0.5, 0.5]) },
    OnnxOperator("HammingWindow") { n throws(ApusError) in try window(n, [25.0 / 46, 21.0 / 46]) },
    OnnxOperator("BlackmanWindow") { n throws(ApusError) in try window(n, [0.42, 0.5, 0.08]) },
    OnnxOperator("MelWeightMatrix", melWeightMatrix),
]

private func constantNode(_ n: NodeContext) throws(ApusError) -> Constant {
    guard let (name, value) = n.node.attributes.first(where: { $0.key.hasPrefix("value") || $0.key == "sparse_value" })
    else { throw .file("no value") }
    switch (name, value) {
    case ("value", _): return try n.tensor("value")
    case ("value_int", .int(let number)): return Constant("", TensorType(.i64, []), scalar: number)
    case ("value_ints", .ints(let numbers)): return Constant("", numbers)
    case ("value_float", _): return try Constant("", .f32, [], [Double(try n.float(name))])
    case ("value_floats", _):
        let values = try n.floats(name) ?? []
        return try Constant("", .f32, [values.count], values.map { Double($0) })
    default: throw .unsupported("a constant by '\(name)', wanted a tensor or numbers")
    }
}

private func constantOfShape(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let value = n.hasAttribute("value") ? try n.tensor("value") : try Constant("", .f32, [], [0])
    guard value.type.shape.count == 1 else { throw .shape("value of shape \(value.type.shape), wanted one element") }
    let element = Constant("", TensorType(value.type.dtype, []), value.storage, offset: value.offset)
    var shapes: [[Int]] = []
    for shape in try n.integerSamples(0) {
        guard shape.count <= Shape.maximumRank, shape.allSatisfy({ (0...Shape.maximumExtent).contains($0) }) else {
            throw .shape("shape \(shape)")
        }
        shapes.append(shape)
    }
    return [ImportedValue(try n.g.expand(n.g.constant(element), to: shapes))]
}

private func shape(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let rank = try n.rank(0)
    func position(_ name: String, _ otherwise: Int) throws(ApusError) -> Int {
        let value = try n.int(name, otherwise)
        return max(0, min(rank, value < 0 ? value + rank : value))
    }
    let start = try position("start", 0), end = max(start, try position("end", rank))
    return ImportedValue.samples(try n.types(0).map { Constant("", Array($0.shape.dimensions[start..<end])) })
}

/// start, start + delta, … before limit.
private func range(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let dtype = try n.dtype(0)
    let start = try n.number(0), limit = try n.number(1), delta = try n.number(2)
    let count: Double = max(0, ((limit - start) / delta).rounded(.up))
    guard count <= 16_777_216 else { throw .shape("a range of \(count) elements, wanted at most 2²⁴") }
    let elements = (0..<Int(count)).map { start + Double($0) * delta }
    return [ImportedValue(try Constant("", dtype, [elements.count], elements))]
}

private func eyeLike(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let type = try n.types(0)[0]
    guard type.shape.rank == 2, try n.types(0).allSatisfy({ $0 == type }) else {
        throw .shape("a shape \(type.shape), wanted a fixed one of rank 2")
    }
    let (rows, columns, k) = (type.shape[0], type.shape[1], try n.int("k", 0))
    try requireTable(rows, columns)
    guard (-Shape.maximumExtent...Shape.maximumExtent).contains(k) else { throw .shape("k \(k)") }
    let elements = (0..<rows * columns).map { $0 % columns == $0 / columns + k ? 1.0 : 0 }
    return [ImportedValue(try Constant("", try n.elementType("dtype", type.dtype), [rows, columns], elements))]
}

/// x on and above, or on and below, the k-th diagonal of its last two axes, 0 elsewhere.
private func trilu(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0)
    guard x.rank >= 2 else { throw .shape("x \(x.shape), wanted rank 2 or more") }
    let k = n.has(1) ? try n.integer(1) : 0, isUpper = try n.flag("upper", true)
    if x.shape.count == 0 { return x }
    // How far right of the diagonal a column is: above it where positive.
    let columns = try n.g.range(x.extents(x.rank - 1))
    let rows = try n.g.unsqueeze(try n.g.range(x.extents(x.rank - 2)), [1])
    let distance = try n.g.sub(columns, rows), diagonal = try n.g.scalar(Double(k), .i64)
    let kept = isUpper ? try n.g.greaterOrEqual(distance, diagonal) : try n.g.lessOrEqual(distance, diagonal)
    if x.dtype == .bool { return try n.g.and(x, kept) }
    return try n.g.select(kept, x, try n.g.scalar(0, like: x))
}

// MARK: Signals

/// Σ (−1)ᵏ·aₖ·cos(2πki/N), N the size or, if symmetric, one less.
private func window(_ n: NodeContext, _ coefficients: [Double]) throws(ApusError) -> [ImportedValue] {
    let size = try n.number(0), isPeriodic = try n.flag("periodic", true)
    guard (0...16_777_216).contains(size) else { throw .shape("a window of \(size) elements") }
    let period = isPeriodic ? size : size - 1
    let elements = (0..<Int(size)).map { i in
        coefficients.enumerated().reduce(0.0) { sum, term in
            sum + (term.offset % 2 == 0 ? 1 : -1) * term.element * cos(2 * .pi * Double(term.offset * i) / period)
        }
    }
    return [ImportedValue(try Constant("", try n.elementType("output_datatype", .f32), [elements.count], elements))]
}

/// Triangles over the bins of a spectrum, their corners equally far apart in mel.
private func melWeightMatrix(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let bins = try n.integer(0), length = try n.integer(1), rate = try n.number(2)
    let lower = try n.number(3), upper = try n.number(4)
    guard (1...65536).contains(bins), (1...(1 << 24)).contains(length) else {
        throw .shape("\(bins) bins of a transform of \(length)")
    }
    func mel(_ hertz: Double) -> Double { 2595 * log10(1 + hertz / 700) }
    let spectrum = length / 2 + 1
    try requireTable(spectrum, bins)
    guard rate > 0, [lower, upper, rate].allSatisfy({ $0.isFinite && abs($0) < 1e9 }), lower > -700, upper > -700 else {
        throw .shape("frequencies from \(lower) to \(upper) at a rate of \(rate)")
    }
    // Those before or beyond the spectrum stand beside it.
    let corners = (0..<bins + 2).map { i in
        let value = mel(lower) + Double(i) * (mel(upper) - mel(lower)) / Double(bins + 2)
        let corner = ((Double(length) + 1) * (700 * (pow(10, value / 2595) - 1)) / rate).rounded(.down)
        return Int(max(-1e9, min(corner, 1e9)))
    }
    var elements = [Double](repeating: 0, count: spectrum * bins)
    for bin in 0..<bins {
        let (left, center, right) = (corners[bin], corners[bin + 1], corners[bin + 2])
        if left == center {
            if (0..<spectrum).contains(center) { elements[center * bins + bin] = 1 }
        } else {
            for i in spectrum.places(from: left, to: center + 1) {
                elements[i * bins + bin] = Double(i - left) / Double(center - left)
            }
        }
        for i in spectrum.places(from: center, to: right) {
            elements[i * bins + bin] = Double(right - i) / Double(right - center)
        }
    }
    return [ImportedValue(try Constant("", try n.elementType("output_datatype", .f32), [spectrum, bins], elements))]
}

extension Int {
    /// The places among this many that lie between two.
    fileprivate func places(from start: Int, to end: Int) -> Range<Int> {
        let start = Swift.max(start, 0)
        return start..<Swift.max(start, Swift.min(end, self))
    }
}

extension ImportedValue {
    /// One value known at every sample.
    fileprivate static func samples(_ constants: [Constant]) -> [ImportedValue] { [ImportedValue(samples: constants)] }
}

extension Constant {
    /// One integer of a type of i64.
    fileprivate init(_ name: String, _ type: TensorType, scalar: Int) {
        self.init(name, type, withUnsafeBytes(of: Int64(scalar)) { HeapStorage($0) })
    }
}
