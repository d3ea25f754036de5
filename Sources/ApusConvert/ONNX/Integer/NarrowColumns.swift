import ApusGraph

/// x·W + bias, W of 4 or 8 bits: WeightOnlyDense, or Dense where that has no such blocks.
@Sendable func matMulNBits(_ n: NodeContext) throws(ApusError) -> Term {
    let weights = try NarrowColumns(n), x = try n.term(0)
    let bias = n.has(5) ? try n.term(5) : nil
    if let codes = weights.blockCodes { return try codes.product(x, bias, n.g) }
    let w = n.g.constant(weights.real)
    if let bias { return try n.g(Dense(hasBias: true), x, w, bias) }
    return try n.g(Dense(hasBias: false), x, w)
}

/// The weights of MatMulNBits: codes by columns, each in blocks of rows that share a scale and a zero point.
private struct NarrowColumns {
    private let name: String
    private let bits, rows, columns, block, blocks: Int
    /// [columns, blocks · block], less the middle of their range; scales and zero points [columns, blocks].
    private let codes: [Int8], scales: [Float], zeros: [Int]

    init(_ n: NodeContext) throws(ApusError) {
        rows = try n.int("K")
        columns = try n.int("N")
        bits = try n.int("bits", 4)
        block = try n.int("block_size")
        guard bits == 4 || bits == 8 else { throw .unsupported("weights of \(bits) bits, wanted 4 or 8") }
        guard (1...1 << 24).contains(rows), (1...1 << 24).contains(columns), (16...1 << 16).contains(block),
            block & (block - 1) == 0
        else { throw .shape("\(rows) × \(columns) weights in blocks of \(block)") }
        guard !n.has(4) else { throw .unsupported("an order of groups") }
        name = try n.known(1).name
        blocks = (rows + block - 1) / block
        let middle = 1 << (bits - 1)
        codes = try n.known(1).unpacked(bits, rows: columns, columns: blocks * block).map { Int8(Int($0) - middle) }
        let scales = try n.known(2)
        guard scales.type.dtype.isFloat, scales.type.shape.count == columns * blocks else {
            throw .shape("scales \(scales.type), wanted \(columns) × \(blocks) real numbers")
        }
        self.scales = try scales.tensor.converted(to: .f32).array(of: Float.self)
        zeros = n.has(3)
            ? try n.known(3).unpacked(bits, rows: columns, columns: blocks).map { Int($0) - middle }
            : [Int](repeating: 0, count: columns * blocks)
    }

    /// nil where W has no such form: blocks of 16 rows; scales that 16 bits do not hold to 2⁻¹⁰ of them.
    var blockCodes: BlockCodes? {
        let isWhole = blocks == 1
        let halves = scales.map { Float(Float16($0)) }
        let areHalves = zip(scales, halves).allSatisfy { abs($0 - $1) <= abs($0) * 0x1p-10 }
        guard isWhole || block >= 32 && areHalves else { return nil }
        // Blocks of more than 128 rows are several of 128.
        let size = min(block, 128), groups = isWhole ? 1 : (rows + size - 1) / size
        func byRows<T>(_ list: [T]) -> [T] {
            (0..<groups).flatMap { group in (0..<columns).map { list[$0 * blocks + group * size / block] } }
        }
        let pitch = blocks * block
        let values = (0..<rows).flatMap { row in (0..<columns).map { Int(codes[$0 * pitch + row]) } }
        return BlockCodes(
            name, values, rows: rows, columns: columns, isNarrow: bits == 4, block: isWhole ? 0 : size,
            scales: byRows(areHalves ? halves : scales), zeros: byRows(zeros))
    }

    /// [rows, columns].
    var real: Constant {
        var values: [Float] = []
        values.reserveCapacity(rows * columns)
        for row in 0..<rows {
            for column in 0..<columns {
                let part = column * blocks + row / block
                values.append(Float(Int(codes[column * blocks * block + row]) - zeros[part]) * scales[part])
            }
        }
        let type = TensorType(.f32, [rows, columns])
        return Constant(name, type, values.withUnsafeBytes { HeapStorage($0) })
    }
}

extension Constant {
    /// Numbers of 4 or 8 bits in the bytes of a constant of u8, each row in bytes of its own; the low half of a byte first.
    func unpacked(_ bits: Int, rows: Int, columns: Int) throws(ApusError) -> [UInt8] {
        let pitch = (columns * bits + 7) / 8
        guard type.dtype == .u8, type.shape.count == rows * pitch else {
            throw .shape("'\(name)' \(type), wanted \(rows) × \(pitch) bytes")
        }
        let bytes = try tensor.array(of: UInt8.self)
        guard bits == 4 else { return bytes }
        return (0..<rows * columns).map { i in
            let at = i % columns
            return bytes[i / columns * pitch + at / 2] >> UInt8(4 * (at % 2)) & 15
        }
    }
}
