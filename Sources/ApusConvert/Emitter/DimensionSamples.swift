import ApusGraph

/// Values of a graph's symbolic dimensions at which the importer computes shapes.
///
/// An expression over dimensions is what it gives at the samples. So shape arithmetic needs no algebra: it is done at
/// every sample, extents are equal if they are equal at every sample, and one that is the same at all of them is fixed.
/// The samples are the largest and the smallest values and others between, which do not move together for any two dimensions.
struct DimensionSamples {
    private(set) var values: [[Int]]
    var count: Int { values.count }

    /// - Parameter measures: dimensions may be appended.
    init(_ dimensions: [SymbolicDimension], measures: Bool = false) {
        guard measures || dimensions.contains(where: { $0.minimum < $0.maximum }) else {
            values = [dimensions.map { $0.maximum }]
            return
        }
        values = [[Int]](repeating: [], count: 2 + DimensionSamples.rounds)
        for dimension in dimensions {
            add([ClosedRange<Int>](repeating: dimension.minimum...dimension.maximum, count: values.count))
        }
        if measures { return }
        var seen: Set<[Int]> = []
        values.removeAll { !seen.insert($0).inserted }
    }

    /// Another dimension, whose bounds are 0 and at each sample one of its own. Its values at the first two samples are
    /// these.
    mutating func append(name: String, limits: [Int]) -> SymbolicDimension {
        add([0...limits[0], 0...limits[0]] + limits[2...].map { 0...$0 })
        return SymbolicDimension(name, 0...limits[0])
    }

    /// How many samples there are between the largest and the smallest values, at most.
    private static let rounds = 6
    /// How often values are drawn that may not be those of another dimension, shifted.
    private static let attempts = 64

    /// A dimension of these bounds at each sample.
    private mutating func add(_ bounds: [ClosedRange<Int>]) {
        let index = values[0].count
        var column: [Int] = []
        for attempt in 0..<DimensionSamples.attempts {
            column = bounds.indices.map { DimensionSamples.value(bounds[$0], index: index, sample: $0, attempt) }
            if (0..<index).allSatisfy({ !isShifted(column, from: $0) }) { break }
        }
        for sample in values.indices { values[sample].append(column[sample]) }
    }

    private func isShifted(_ column: [Int], from other: Int) -> Bool {
        values.indices.allSatisfy { column[$0] - values[$0][other] == column[0] - values[0][other] }
    }

    /// A value within the bounds. Wide bounds give every remainder of 4, so that extents which differ where a dimension is
    /// odd, or no multiple of 4, are seen to differ.
    private static func value(_ bounds: ClosedRange<Int>, index: Int, sample: Int, _ attempt: Int) -> Int {
        if sample < 2 { return sample == 0 ? bounds.upperBound : bounds.lowerBound }
        let number = mixed(UInt64((index * attempts + attempt) * (2 + rounds) + sample))
        let value = bounds.lowerBound + Int(number % UInt64(bounds.count))
        guard bounds.count >= 16 else { return value }
        let remainder = value & ~3 | [0, 1, 2, 3, 1, 3][(sample - 2 + index) % rounds]
        return remainder < bounds.lowerBound ? remainder + 4 : remainder > bounds.upperBound ? remainder - 4 : remainder
    }

    /// SplitMix64's output function.
    private static func mixed(_ x: UInt64) -> UInt64 {
        var z = (x &+ 1) &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

extension [SymbolicDimension] {
    /// Throws for a name that none of them has.
    func requireNames(_ names: some Collection<String>) throws(ApusError) {
        for name in names.sorted() where !contains(where: { $0.name == name }) {
            let known = map { $0.name }.joined(separator: ", ")
            throw .argument("no symbolic dimension '\(name)', wanted one of: \(known)")
        }
    }
}
