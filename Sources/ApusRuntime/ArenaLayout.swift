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
/// placed buffer that is alive at the same time. Buffers that take at most `apart` bytes together share nothing: what a thread
/// has in its cache of a value's lines, it then meets there in the next run.
public struct ArenaLayout: Sendable {
    public static let alignment = 64

    public let offsets: [Int]
    public let peak: Int

    public init(_ lifetimes: [Lifetime], apart: Int = 0) {
        let isApart = apart > 0 && lifetimes.reduce(0) { $0 + ArenaLayout.aligned($1.size) } <= apart
        let order = ArenaLayout.bySize(lifetimes)
        var offsets = [Int](repeating: 0, count: lifetimes.count)
        var peak = 0
        var placed: [Placed] = []
        placed.reserveCapacity(lifetimes.count)
        for index in order {
            let buffer = lifetimes[index]
            let size = ArenaLayout.aligned(buffer.size)
            var offset = 0
            for other in placed where isApart || other.first <= buffer.last && buffer.first <= other.last {
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

    /// The largest first, the earlier of equals. Heapsort, a tenth of the code of the library's sort.
    private static func bySize(_ lifetimes: [Lifetime]) -> [Int] {
        var order = Array(lifetimes.indices)
        func precedes(_ a: Int, _ b: Int) -> Bool {
            lifetimes[a].size != lifetimes[b].size ? lifetimes[a].size > lifetimes[b].size : a < b
        }
        /// Lets order[start] sink until none below it in order[..<end] comes after it.
        func sink(_ start: Int, _ end: Int) {
            var parent = start
            while 2 * parent + 1 < end {
                var child = 2 * parent + 1
                if child + 1 < end && precedes(order[child], order[child + 1]) { child += 1 }
                if precedes(order[child], order[parent]) { return }
                order.swapAt(parent, child)
                parent = child
            }
        }
        var start = order.count / 2
        while start > 0 {
            start -= 1
            sink(start, order.count)
        }
        var end = order.count
        while end > 1 {
            end -= 1
            order.swapAt(0, end)
            sink(0, end)
        }
        return order
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
