import ApusGraph

/// Values of a graph's symbolic dimensions at which the importer computes shapes.
///
/// An expression over dimensions is what it gives at the samples. So shape arithmetic needs no algebra: it is done at
/// every sample, extents are equal if they are equal at every sample, and one that is the same at all of them is fixed.
/// The samples are the largest and the smallest values and others between, different for each dimension.
struct DimensionSamples {
    private(set) var values: [[Int]]
    var count: Int { values.count }

    /// - Parameter measures: dimensions may be appended.
    init(_ dimensions: [SymbolicDimension], measures: Bool = false) {
        guard measures || dimensions.contains(where: { $0.minimum < $0.maximum }) else {
            values = [dimensions.map { $0.maximum }]
            return
        }
        var values = [dimensions.map { $0.maximum }, dimensions.map { $0.minimum }]
        for round in 0..<3 {
            values.append(dimensions.indices.map { DimensionSamples.between(dimensions[$0], index: $0, round) })
        }
        self.values = values
    }

    /// Another dimension, whose bounds are 0 and at each sample one of its own. Its values at the first two samples are
    /// these.
    mutating func append(name: String, limits: [Int]) -> SymbolicDimension {
        for sample in values.indices {
            let here = SymbolicDimension(name, 0...limits[sample])
            let value = sample < 2
                ? [limits[0], 0][sample] : DimensionSamples.between(here, index: values[0].count, sample - 2)
            values[sample].append(value)
        }
        return SymbolicDimension(name, 0...limits[0])
    }

    /// A value within the bounds: a fixed part of their distance, not the same for any two dimensions.
    private static func between(_ dimension: SymbolicDimension, index: Int, _ round: Int) -> Int {
        let width = dimension.maximum - dimension.minimum
        let part = [0.381966, 0.618034, 0.763932][round] + 0.013 * Double(index)
        return dimension.minimum + Int(Double(width) * part.truncatingRemainder(dividingBy: 1))
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
