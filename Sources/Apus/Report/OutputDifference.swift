import ApusGraph

/// How far an output of one model is from that of another.
public struct OutputDifference: Encodable, Sendable {
    public let name: String
    /// Infinite, as the other two, where an element of one of the two is not finite and that of the other is not the same.
    public let absolute: Double
    public let relative: Double
    /// The absolute difference over the largest value wanted.
    public let scaled: Double
    public let rows: Int
    /// Rows along the last axis whose first largest element is the same one.
    public let agreeingRows: Int

    public init(_ name: String, found: Tensor, wanted: Tensor) throws(ApusError) {
        let difference = try Difference(found, wanted)
        let largest = try wanted.doubles().reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
        self.name = name
        absolute = difference.nonFinite > 0 ? .infinity : difference.absolute
        relative = difference.nonFinite > 0 ? .infinity : difference.relative
        scaled = absolute / max(largest, 1e-30)
        rows = difference.rows
        agreeingRows = difference.agreeingRows
    }

    /// Each output that both models have made, in order.
    public static func between(_ found: [NamedTensor], _ wanted: [NamedTensor]) throws(ApusError) -> [OutputDifference] {
        guard found.count == wanted.count else {
            throw .shape("\(wanted.count) and \(found.count) outputs, wanted as many")
        }
        var differences: [OutputDifference] = []
        for (new, old) in zip(found, wanted) {
            do throws(ApusError) {
                differences.append(try OutputDifference(old.name, found: new.tensor, wanted: old.tensor))
            } catch {
                throw error.within("output '\(old.name)'")
            }
        }
        return differences
    }
}

extension [OutputDifference] {
    /// A line about the first output beyond a tolerance; nil where none is.
    public func complaint(beyond tolerance: Double) -> String? {
        first { !($0.scaled <= tolerance) }.map {
            "output '\($0.name)' differs by \(Quantity.digits($0.scaled)) of its largest value, wanted at most "
                + Quantity.digits(tolerance)
        }
    }
}
