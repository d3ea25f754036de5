/// When a buffer of the arena is in use: from the step that writes it to the last step that reads it.
public struct Lifetime: Sendable {
    public var size: Int
    public var first: Int
    public var last: Int

    public init(size: Int, first: Int, last: Int) {
        self.size = size
        self.first = first
        self.last = last
    }
}

/// Stage 5: lifetimes → offsets and the peak. A pure function.
///
/// Greedy by size (Pisarchyk and Lee 2020): the largest buffer first, each at the lowest offset where it overlaps no
/// placed buffer that is alive at the same time.
public struct ArenaLayout: Sendable {
    public static let alignment = 64

    public let offsets: [Int]
    public let peak: Int

    public init(_ lifetimes: [Lifetime]) {
        let order = lifetimes.indices.sorted {
            lifetimes[$0].size != lifetimes[$1].size ? lifetimes[$0].size > lifetimes[$1].size : $0 < $1
        }
        var offsets = [Int](repeating: 0, count: lifetimes.count)
        var peak = 0
        var placed: [Placed] = []
        placed.reserveCapacity(lifetimes.count)
        for index in order {
            let buffer = lifetimes[index]
            let size = ArenaLayout.aligned(buffer.size)
            var offset = 0
            for other in placed where other.first <= buffer.last && buffer.first <= other.last {
                if other.start >= offset + size { break }
                offset = max(offset, other.end)
            }
            offsets[index] = offset
            peak = max(peak, offset + size)
            let position = ArenaLayout.position(of: offset, in: placed)
            placed.insert(Placed(start: offset, end: offset + size, first: buffer.first, last: buffer.last), at: position)
        }
        self.offsets = offsets
        self.peak = peak
    }

    /// A buffer with its place; kept by rising offset.
    private struct Placed {
        var start, end, first, last: Int
    }

    /// Before the first that starts behind `offset`.
    private static func position(of offset: Int, in placed: [Placed]) -> Int {
        var low = 0, high = placed.count
        while low < high {
            let middle = (low + high) / 2
            if placed[middle].start > offset { high = middle } else { low = middle + 1 }
        }
        return low
    }

    public static func aligned(_ size: Int) -> Int { (size + alignment - 1) / alignment * alignment }
}
