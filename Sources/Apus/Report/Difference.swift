import ApusGraph
import Foundation

/// How far two tensors of one type are apart.
public struct Difference: Sendable {
    /// max |a − b|
    public private(set) var absolute = 0.0
    /// max |a − b| / max(|a|, |b|) over elements that are not both tiny beside the largest (below 10⁻³ of it).
    public private(set) var relative = 0.0
    /// The element where |a − b| is largest, and what both have there.
    public private(set) var index = 0
    public private(set) var found = 0.0
    public private(set) var wanted = 0.0
    /// Elements of which one is NaN or infinite and the other is not the same.
    public private(set) var nonFinite = 0
    /// Of the rows along the last axis, those whose first largest element is the same one.
    public private(set) var agreeingRows = 0
    public private(set) var rows = 0

    public var isZero: Bool { absolute == 0 && nonFinite == 0 }

    /// Throws unless both are of one type and shape.
    public init(_ a: Tensor, _ b: Tensor) throws(ApusError) {
        guard a.dtype == b.dtype, a.shape == b.shape else { throw .shape("\(a) compared with \(b)") }
        let x = try a.doubles(), y = try b.doubles()
        var largest = 0.0
        for i in x.indices where x[i].isFinite && y[i].isFinite { largest = max(largest, abs(x[i]), abs(y[i])) }
        for i in x.indices {
            guard x[i].isFinite && y[i].isFinite else {
                if !(x[i] == y[i] || x[i].isNaN && y[i].isNaN) {
                    nonFinite += 1
                    (index, found, wanted) = (i, x[i], y[i])
                }
                continue
            }
            let difference = abs(x[i] - y[i]), size = max(abs(x[i]), abs(y[i]))
            if difference > absolute {
                absolute = difference
                if nonFinite == 0 { (index, found, wanted) = (i, x[i], y[i]) }
            }
            if size > largest * 1e-3 { relative = max(relative, difference / size) }
        }
        let width = max(1, a.shape.last ?? 1)
        rows = x.count / width
        for row in 0..<rows {
            let range = row * width..<(row + 1) * width
            if Difference.largest(x[range]) == Difference.largest(y[range]) { agreeingRows += 1 }
        }
    }

    /// Whether |a − b| ≤ absolute + relative·|b| for every element, and none differs in being finite.
    public static func agree(_ a: Tensor, _ b: Tensor, relative: Double, absolute: Double) throws(ApusError) -> Bool {
        agree(try a.doubles(), try b.doubles(), relative, absolute)
    }

    /// The same with an absolute tolerance of `scaled` times the largest element of b.
    public static func agree(_ a: Tensor, _ b: Tensor, relative: Double, scaled: Double) throws(ApusError) -> Bool {
        let y = try b.doubles()
        let largest = y.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
        return agree(try a.doubles(), y, relative, scaled * largest)
    }

    private static func agree(_ x: [Double], _ y: [Double], _ relative: Double, _ absolute: Double) -> Bool {
        x.count == y.count
            && x.indices.allSatisfy {
                x[$0] == y[$0] || x[$0].isNaN && y[$0].isNaN || abs(x[$0] - y[$0]) <= absolute + relative * abs(y[$0])
            }
    }

    private static func largest(_ row: ArraySlice<Double>) -> Int? {
        row.indices.max { row[$0] < row[$1] || row[$0] == row[$1] && $0 > $1 }.map { $0 - row.startIndex }
    }
}

extension Tensor {
    /// A copy of a plain constant.
    public init(_ constant: Constant) throws(ApusError) {
        try self.init(copying: constant.bytes, dtype: constant.type.dtype, shape: constant.type.shape.dimensions)
    }
}
