import ApusGraph
import Foundation

/// Plain real weights [..., N] as integers.
struct WeightCodes {
    let shape: Shape
    /// Row-major like the weights.
    private(set) var codes: [Int8]
    /// Of each column or, in blocks, row-major: [⌈K/B⌉, N], or [K, ⌈N/B⌉] of a table.
    let scales: [Float]

    /// Symmetric codes in −limit ... limit, one scale for each of the N columns. `floors`: the least scale of a column, where
    /// a bias asks for it.
    init(_ weights: Constant, limit: Float = 127, floors: [Double] = []) throws(ApusError) {
        shape = weights.type.shape
        let values = try weights.finiteDoubles(), columns = shape.last
        var largest = [Double](repeating: 0, count: columns)
        for (i, value) in values.enumerated() { largest[i % columns] = max(largest[i % columns], abs(value)) }
        let scales = largest.enumerated().map { column, most in
            let scale = Float(max(most / Double(limit), column < floors.count ? floors[column] : 0))
            return scale > 0 && scale.isFinite ? scale : 1
        }
        self.scales = scales
        codes = values.enumerated().map { i, value in
            Int8(min(max((value / Double(scales[i % columns])).rounded(.toNearestOrEven), -127), 127))
        }
    }

    /// W [K, N] in −limit ... limit, one f16 scale for each column of a block of `block` rows, chosen for the least square error.
    init(_ weights: Constant, block: Int, limit: Int) throws(ApusError) {
        let rows = weights.type.shape[0], columns = weights.type.shape[1]
        let places = stride(from: 0, to: rows, by: block).flatMap { first in
            (0..<columns).map { stride(from: first * columns + $0, to: min(rows, first + block) * columns, by: columns) }
        }
        try self.init(weights, places, limit: limit)
    }

    /// Likewise a table [R, C], with a scale for each `block` columns of a row.
    init(table: Constant, block: Int, limit: Int) throws(ApusError) {
        let rows = table.type.shape[0], columns = table.type.shape[1]
        let places = (0..<rows).flatMap { row in
            stride(from: row * columns, to: (row + 1) * columns, by: block).map {
                stride(from: $0, to: min($0 + block, (row + 1) * columns), by: 1)
            }
        }
        try self.init(table, places, limit: limit)
    }

    /// `places`: the elements that share a scale, scale after scale.
    private init(_ weights: Constant, _ places: [StrideTo<Int>], limit: Int) throws(ApusError) {
        shape = weights.type.shape
        let values = try weights.finiteDoubles()
        let most = values.reduce(0) { max($0, abs($1)) }, limitOfHalves = Double(Float16.greatestFiniteMagnitude) * Double(limit)
        guard most <= limitOfHalves else {
            throw .argument(
                "'\(weights.name)' of up to \(most), wanted at most \(limitOfHalves) for scales of f16; --keep-float leaves a node real")
        }
        var scales = [Float](repeating: 1, count: places.count)
        codes = [Int8](repeating: 0, count: values.count)
        for (i, group) in places.enumerated() {
            let scale = WeightCodes.scale(group.map { values[$0] }, limit: limit)
            scales[i] = Float(scale)
            for place in group { codes[place] = Int8(WeightCodes.code(values[place], scale, limit)) }
        }
        self.scales = scales
    }

    private static func code(_ value: Double, _ scale: Double, _ limit: Int) -> Double {
        min(max((value / scale).rounded(.toNearestOrEven), Double(-limit)), Double(limit))
    }

    /// Among the scale that the greatest magnitude asks for and smaller ones that cut it, the one of least error, as f16.
    private static func scale(_ values: [Double], limit: Int) -> Double {
        let most = values.reduce(0) { max($0, abs($1)) }
        guard most > 0 else { return 1 }
        var best = 1.0, least = Double.infinity
        for step in 0..<(limit > 7 ? 1 : 10) {
            let scale = max(Double(Float16(most / Double(limit) * (1 - 0.04 * Double(step)))), Double(Float16.leastNonzeroMagnitude))
            let error = values.reduce(0) { sum, value in
                let rest = value - scale * code(value, scale, limit)
                return sum + rest * rest
            }
            if error < least { (best, least) = (scale, error) }
        }
        return best
    }

    /// Σ over the codes of each column.
    var sums: [Int] {
        var sums = [Int](repeating: 0, count: shape.last)
        for (i, code) in codes.enumerated() { sums[i % shape.last] += Int(code) }
        return sums
    }

    /// As a constant that says what its codes stand for.
    func constant(_ name: String) -> Constant {
        let type = TensorType(
            .i8, shape, quantization: Quantization(granularity: .perChannel(axis: shape.rank - 1), scales: scales))
        return Constant(name, type, codes.withUnsafeBytes { HeapStorage($0) })
    }

    /// The codes alone, as i8 or, two a byte, as i4.
    func plainConstant(_ name: String, _ dtype: DType) -> Constant {
        guard dtype == .i4 else { return Constant(name, TensorType(.i8, shape), codes.withUnsafeBytes { HeapStorage($0) }) }
        var bytes = [UInt8](repeating: 0, count: (codes.count + 1) / 2)
        for (i, code) in codes.enumerated() { bytes[i / 2] |= UInt8(truncatingIfNeeded: code & 15) << (i % 2 * 4) }
        return Constant(name, TensorType(.i4, shape), bytes.withUnsafeBytes { HeapStorage($0) })
    }
}

extension Constant {
    /// Its elements, to be made codes of.
    func finiteDoubles() throws(ApusError) -> [Double] {
        let values = try doubles()
        if let element = values.firstIndex(where: { !$0.isFinite }) {
            throw .argument("'\(name)' is \(values[element]) at element \(element), wanted finite numbers; --keep-float leaves a node real")
        }
        return values
    }

    init(_ name: String, floats: [Float]) {
        self.init(name, TensorType(.f32, [floats.count]), floats.withUnsafeBytes { HeapStorage($0) })
    }

    init(_ name: String, integers: [Int32]) {
        self.init(name, TensorType(.i32, [integers.count]), integers.withUnsafeBytes { HeapStorage($0) })
    }
}
