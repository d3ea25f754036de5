import ApusGraph

/// What stands for a part of the product that DynamicQuantizeLinear and MatMulInteger make of real x and constant codes W:
/// cast(MatMulInteger(q, W, z)) · (s · scales of W) + bias with q, s, z from x. All of it is one DynamicDense, which scales each
/// row of x by itself, symmetrically, where ONNX has one scale and a zero point for all rows.
enum DynamicCodes {
    /// q, s or z; s times numbers, one or one a column.
    case codes(of: Term)
    case scale(of: Term, [Float])
    case zeroPoint(of: Term)
    /// MatMulInteger, of integers or cast to real numbers.
    case sums(of: Term, DynamicWeights)
    case product(of: Term, DynamicWeights, [Float])
}

/// W [K, N] of i8, without a zero point.
struct DynamicWeights {
    let codes: Constant
    let sums: [Int]

    func product(_ x: Term, _ scales: [Float], _ bias: Term?, _ g: Emitter) throws(ApusError) -> Term {
        try g.emit(DynamicDense(hasBias: bias != nil), [x] + operands(scales, g) + (bias.map { [$0] } ?? []))[0]
    }

    /// What a DynamicDense takes after x.
    func operands(_ scales: [Float], _ g: Emitter) -> [Term] {
        let all = scales.count == 1 ? [Float](repeating: scales[0], count: sums.count) : scales
        let folded = sums.map { Int32(truncatingIfNeeded: -128 * $0) }
        return [
            g.constant(codes), g.constant(Constant("folded", integers32: folded)), g.constant(Constant("scales", floats: all)),
        ]
    }
}

extension DynamicWeights {
    /// nil where a code does not fit 8 bits. `codes` are row-major, of `shape` [K, N].
    init?(_ name: String, _ codes: [Int], _ shape: Shape) {
        let columns = shape.last
        var sums = [Int](repeating: 0, count: columns), bytes: [Int8] = []
        for (i, code) in codes.enumerated() {
            guard let byte = Int8(exactly: code) else { return nil }
            bytes.append(byte)
            sums[i % columns] += code
        }
        self.sums = sums
        self.codes = Constant(name, TensorType(.i8, shape), bytes.withUnsafeBytes { HeapStorage($0) })
    }
}

extension ImportedValue {
    fileprivate var dynamic: DynamicCodes? {
        if case .dynamic(let dynamic)? = origin { return dynamic }
        return nil
    }
}

extension Term {
    fileprivate func isSame(as other: Term) -> Bool { value.operand == other.value.operand }
}

@Sendable func dynamicQuantize(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    guard try n.imported(0).known == nil, try n.dtype(0) == .f32 else { return nil }
    var values = try n.importer.mapping(of: n.node, n.version)!.map(n)
    let x = try n.term(0)
    let origins: [DynamicCodes] = [.codes(of: x), .scale(of: x, [1]), .zeroPoint(of: x)]
    for (i, origin) in origins.enumerated() where i < values.count { values[i].origin = .dynamic(origin) }
    return values
}

@Sendable func dynamicProduct(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    guard n.has(2), case .codes(let x)? = n.inputs[0]?.dynamic, case .zeroPoint(let y)? = n.inputs[2]?.dynamic,
        x.isSame(as: y), n.isKnown(1), !n.has(3) || n.isKnown(3)
    else { return nil }
    let w = try n.known(1), zeros = n.has(3) ? try n.known(3).integers() : [0]
    let columns = w.type.shape.last
    let isBytes = w.type.dtype == .i8 || w.type.dtype == .u8
    guard isBytes, w.type.shape.rank == 2, zeros.count == 1 || zeros.count == columns else { return nil }
    if n.has(3) { guard try n.dtype(3) == w.type.dtype else { return nil } }
    let codes = try w.integers().enumerated().map { i, code in code - zeros[zeros.count == 1 ? 0 : i % columns] }
    guard let weights = DynamicWeights(w.name, codes, w.type.shape) else { return nil }
    return [ImportedValue(try n.real(), .dynamic(.sums(of: x, weights)))]
}

/// A cast of the sums to real numbers.
func dynamicCast(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    guard let value = n.inputs.first ?? nil, case .sums? = value.dynamic, try n.elementType("to") == .f32 else { return nil }
    return [ImportedValue(try n.real(), value.origin)]
}

/// The scale times known numbers, or the sums times the scale.
func dynamicScaling(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    for (place, other) in [(0, 1), (1, 0)] {
        let a = try n.imported(place), b = try n.imported(other)
        guard case .scale(let x, let factors)? = a.dynamic else { continue }
        if let known = b.known, known.count == 1, factors.count == 1 || known[0].type.shape.count == 1,
            known[0].type.dtype == .f32, known[0].type.shape.rank <= 1
        {
            let numbers = try known[0].tensor.array(of: Float.self)
            let scales = factors.count == 1 ? numbers.map { factors[0] * $0 } : factors.map { $0 * numbers[0] }
            return [ImportedValue(try n.real(), .dynamic(.scale(of: x, scales)))]
        }
        if case .sums(let y, let weights)? = b.dynamic, x.isSame(as: y),
            factors.count == 1 || factors.count == weights.sums.count
        {
            let product = try weights.product(x, factors, nil, n.g)
            return [ImportedValue(product, .dynamic(.product(of: x, weights, factors)))]
        }
    }
    return nil
}

/// The product plus a known bias.
func dynamicSum(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    for (place, other) in [(0, 1), (1, 0)] {
        guard case .product(let x, let weights, let scales)? = try n.imported(place).dynamic, n.isKnown(other) else { continue }
        let bias = try n.known(other)
        guard bias.type.dtype == .f32, bias.type.shape == [weights.sums.count] else { continue }
        return [ImportedValue(try weights.product(x, scales, n.g.constant(bias), n.g))]
    }
    return nil
}
