import ApusGraph

/// gain·Q, where Q is [leading extents, last extent] with orthonormal columns, or rows if it is wide
/// (Saxe, McClelland, Ganguli 2014).
///
/// Q is the orthogonal factor of a Gaussian matrix whose triangular factor has a positive diagonal, so it is uniform
/// among such matrices (Mezzadri 2007). Modified Gram–Schmidt, twice, gives exactly that factor.
public struct Orthogonal: Initializer {
    public let gain: Double
    public init(gain: Double = 1) { self.gain = gain }

    public func tensor(_ shape: [Int], _ random: inout Philox) throws(ApusError) -> Tensor {
        guard shape.count >= 2 else { throw .shape("an orthogonal weight of shape \(shape), wanted rank 2 or more") }
        let columns = shape[shape.count - 1], rows = shape.dropLast().reduce(1, *)
        let length = max(rows, columns), count = min(rows, columns)
        var vectors: [[Double]] = []
        for _ in 0..<count {
            var vector = (0..<length).map { _ in random.normal() }
            for _ in 0..<2 {
                for other in vectors { subtract(other, from: &vector) }
            }
            let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            vectors.append(vector.map { $0 / norm })
        }
        var values = [Float](repeating: 0, count: rows * columns)
        for (i, vector) in vectors.enumerated() {
            for (j, value) in vector.enumerated() {
                values[rows >= columns ? j * columns + i : i * columns + j] = Float(gain * value)
            }
        }
        return try Tensor(values, shape: shape)
    }

    private func subtract(_ unit: [Double], from vector: inout [Double]) {
        var dot = 0.0
        for i in unit.indices { dot += unit[i] * vector[i] }
        for i in unit.indices { vector[i] -= dot * unit[i] }
    }
}
