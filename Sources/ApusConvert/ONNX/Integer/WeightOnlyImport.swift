import ApusGraph

/// x·W for real x and constant codes W, which stay codes: WeightOnlyDense where its halves hold the scales exactly, and with
/// one scale a column always. nil where only real weights say the same.
func weightOnlyProduct(
    _ n: NodeContext, _ stored: StoredCodes, dynamicActivations: Bool = false
) throws(ApusError) -> [ImportedValue]? {
    let x = try n.term(0)
    guard x.dtype == .f32, x.rank >= 1, let matrix = try BlockCodes(n, stored) else { return nil }
    guard !dynamicActivations || matrix.block > 0 && matrix.codes.type.dtype == .i4 else { return nil }
    let isGemm = n.node.op == "Gemm"
    var bias: Term?
    if isGemm, n.has(2) {
        guard try n.float("beta", 1) == 1, try n.imported(2).shape == [matrix.codes.type.shape[1]] else { return nil }
        bias = try n.term(2)
    }
    if isGemm { guard try !n.flag("transA"), try n.float("alpha", 1) == 1 else { return nil } }
    return [ImportedValue(try matrix.product(x, bias, n.g, dynamicActivations: dynamicActivations))]
}

/// Rows of a constant table of codes, which stay codes: WeightOnlyGather where it has such scales, and halves hold them exactly.
func weightOnlyRows(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    guard let stored = n.inputs[0]!.stored, try n.imported(1).known == nil, try n.int("axis", 0) == 0 else { return nil }
    let parameters = stored.parameters, shape = stored.constant.type.shape, block = parameters.block
    guard shape.rank == 2, parameters.dtype == .i8 || parameters.dtype == .i4 && shape[1] % 2 == 0,
        try shape.axis(parameters.axis) == (block > 0 ? 1 : 0), [0, 32, 64, 128].contains(block)
    else { return nil }
    let blocks = block > 0 ? (shape[1] + block - 1) / block : 1
    guard parameters.scales.count == shape[0] * blocks, parameters.scales.areHalves, parameters.zeroPoints.allSatisfy({ $0 == 0 })
    else { return nil }
    let name = stored.constant.name
    let codes = Constant(codes: try stored.constant.integers(), parameters.dtype, shape.dimensions, name)
    let scales = try Constant("\(name)/scales", .f16, [shape[0], blocks], parameters.scales.map { Double($0) })
    let rows = try n.g.emit(
        WeightOnlyGather(blockSize: block), [n.g.constant(codes), n.g.constant(scales), try n.term(1)])
    return [ImportedValue(rows[0])]
}

extension [Float] {
    fileprivate var areHalves: Bool { allSatisfy { Float(Float16($0)) == $0 } }
}

/// W [K, N] of i8 or i4 with its scales and zero points by blocks of rows.
struct BlockCodes {
    let codes: Constant
    /// 0: all rows.
    let block: Int
    /// [blocks, N], and zero points of the same shape unless all are 0.
    let scales: [Float], zeros: [Int]

    /// Those of a matrix that DequantizeLinear reads; nil where WeightOnlyDense has no such blocks.
    init?(_ n: NodeContext, _ stored: StoredCodes) throws(ApusError) {
        let parameters = stored.parameters, shape = stored.constant.type.shape
        guard shape.rank == 2 else { return nil }
        let turns = n.node.op == "Gemm" ? try n.flag("transB") : false
        let rowAxis = turns ? 1 : 0, axis = try shape.axis(parameters.axis)
        let isUnsigned = parameters.dtype == .u8 || parameters.dtype == .u4
        let shift = isUnsigned ? parameters.dtype == .u8 ? 128 : 8 : 0
        guard [.i8, .u8, .i4, .u4].contains(parameters.dtype) else { return nil }
        let rows = shape[rowAxis], columns = shape[1 - rowAxis]
        let values = try stored.constant.integers().map { $0 - shift }
        let zeros = (parameters.zeroPoints.isEmpty ? [Int](repeating: 0, count: parameters.scales.count) : parameters.zeroPoints)
            .map { $0 - shift }
        var block = 0, blocks = 1
        if parameters.block > 0 {
            guard axis == rowAxis, [32, 64, 128].contains(parameters.block) else { return nil }
            block = parameters.block
            blocks = (rows + block - 1) / block
            guard parameters.scales.count == blocks * columns else { return nil }
        } else {
            guard parameters.scales.count == 1 || axis != rowAxis && parameters.scales.count == columns else { return nil }
        }
        func spread<T>(_ list: [T]) -> [T] {
            if list.count == 1 { return [T](repeating: list[0], count: columns) }
            return turns && blocks > 1 ? (0..<blocks).flatMap { b in (0..<columns).map { list[$0 * blocks + b] } } : list
        }
        let plain = turns ? (0..<rows).flatMap { k in (0..<columns).map { values[$0 * rows + k] } } : values
        self.init(
            stored.constant.name, plain, rows: rows, columns: columns, isNarrow: parameters.dtype.bitWidth == 4, block: block,
            scales: spread(parameters.scales), zeros: spread(zeros))
    }

    /// Codes [rows, columns] row-major.
    init(
        _ name: String, _ values: [Int], rows: Int, columns: Int, isNarrow: Bool, block: Int, scales: [Float], zeros: [Int]
    ) {
        self.block = block
        self.scales = scales
        self.zeros = zeros.allSatisfy({ $0 == 0 }) ? [] : zeros
        codes = Constant(codes: values, isNarrow ? .i4 : .i8, [rows, columns], name)
    }

    /// x·W + bias. Of columns whose scales are no halves the sums are scaled after.
    func product(
        _ x: Term, _ bias: Term?, _ g: Emitter, dynamicActivations: Bool = false
    ) throws(ApusError) -> Term {
        let columns = codes.type.shape[1], scalesAfter = !scales.areHalves
        guard !scalesAfter || block == 0 else {
            throw .unsupported("blocks of weights with scales of 32 bits, wanted 16")
        }
        let halves = scalesAfter ? scales.map { _ in Float(1) } : scales
        let shape = [scales.count / columns, columns]
        var inputs = [
            x, g.constant(codes),
            g.constant(try Constant("\(codes.name)/scales", .f16, shape, halves.map { Double($0) })),
        ]
        if !zeros.isEmpty {
            inputs.append(g.constant(try Constant("\(codes.name)/zeros", .i8, shape, zeros.map { Double($0) })))
        }
        if let bias, !scalesAfter { inputs.append(bias) }
        let op = WeightOnlyDense(
            blockSize: block, hasZeroPoints: !zeros.isEmpty, hasBias: bias != nil && !scalesAfter,
            dynamicActivations: dynamicActivations)
        let y = try g.emit(op, inputs)[0]
        guard scalesAfter else { return y }
        let scaled = try g.mul(y, g.constant(Constant("\(codes.name)/scales", floats: scales)))
        return try bias.map { b throws(ApusError) in try g.add(scaled, b) } ?? scaled
    }
}
