/// The extents of a tensor, outermost first; rank 0 is a scalar.
///
/// In a declared type an extent may be negative: −(i + 1) stands for the graph's symbolic dimension i. Shape rules see
/// concrete shapes only.
public struct Shape: Sendable {
    public static let maximumRank = 8
    /// No extent is larger, so that sums and products of two extents or attributes cannot overflow `Int`.
    public static let maximumExtent = Int(Int32.max)

    public private(set) var rank: Int
    private var extents: InlineArray<8, Int>

    /// A scalar.
    public init() {
        rank = 0
        extents = InlineArray(repeating: 1)
    }

    /// The first eight of `dimensions`; callers that read a file check the count before.
    public init(_ dimensions: [Int]) {
        self.init()
        for d in dimensions.prefix(Shape.maximumRank) { append(d) }
    }

    public subscript(axis: Int) -> Int {
        get { extents[axis] }
        set { extents[axis] = newValue }
    }

    public mutating func append(_ extent: Int) {
        guard rank < Shape.maximumRank else { return }
        extents[rank] = extent
        rank += 1
    }

    /// The number of elements, saturating far above any size that validation lets pass.
    public var count: Int { product(0..<rank) }

    /// The product of the extents in a range of axes, saturating.
    public func product(_ axes: Range<Int>) -> Int {
        var result = 1
        for axis in axes {
            let (product, overflow) = result.multipliedReportingOverflow(by: max(extents[axis], 0))
            result = overflow || product > 1 << 56 ? 1 << 56 : product
        }
        return result
    }

    public var dimensions: [Int] {
        var result: [Int] = []
        for axis in 0..<rank { result.append(extents[axis]) }
        return result
    }

    /// The last extent, 1 for a scalar.
    public var last: Int { rank == 0 ? 1 : extents[rank - 1] }

    /// `axis` counted from the end when negative.
    public func axis(_ axis: Int, inserting: Bool = false) throws(ApusError) -> Int {
        let limit = inserting ? rank + 1 : rank
        let index = axis < 0 ? axis + limit : axis
        guard index >= 0 && index < limit else {
            throw .shape("axis \(axis), wanted \(-limit) ..< \(limit) for shape \(self)")
        }
        return index
    }

    public func replacing(_ axis: Int, with extent: Int) -> Shape {
        var result = self
        result[axis] = extent
        return result
    }

    public func removing(_ axis: Int) -> Shape {
        var result = Shape()
        for i in 0..<rank where i != axis { result.append(extents[i]) }
        return result
    }

    /// Right-aligned NumPy broadcasting: extents are equal, or one of them is 1 or missing.
    public static func broadcast(_ a: Shape, _ b: Shape) throws(ApusError) -> Shape {
        let rank = max(a.rank, b.rank)
        var result = Shape()
        for i in 0..<rank {
            let x = i < rank - a.rank ? 1 : a[i - (rank - a.rank)]
            let y = i < rank - b.rank ? 1 : b[i - (rank - b.rank)]
            guard x == y || x == 1 || y == 1 else { throw .shape("shapes \(a) and \(b) do not broadcast") }
            result.append(x == 1 ? y : x)
        }
        return result
    }
}

extension Shape: Equatable {
    public static func == (a: Shape, b: Shape) -> Bool {
        guard a.rank == b.rank else { return false }
        for axis in 0..<a.rank where a[axis] != b[axis] { return false }
        return true
    }
}

extension Shape: CustomStringConvertible, ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: Int...) { self.init(elements) }

    /// "[1, 28, 28, 3]"
    public var description: String { Message("\(self)").text }
}
