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
        // Placed buffers by rising offset.
        var placed: [Int] = []
        for index in order {
            let buffer = lifetimes[index]
            let size = ArenaLayout.aligned(buffer.size)
            var offset = 0
            for other in placed
            where lifetimes[other].first <= buffer.last && buffer.first <= lifetimes[other].last {
                if offsets[other] >= offset + size { break }
                offset = max(offset, offsets[other] + ArenaLayout.aligned(lifetimes[other].size))
            }
            offsets[index] = offset
            peak = max(peak, offset + size)
            let position = placed.firstIndex { offsets[$0] > offset } ?? placed.count
            placed.insert(index, at: position)
        }
        self.offsets = offsets
        self.peak = peak
    }

    public static func aligned(_ size: Int) -> Int { (size + alignment - 1) / alignment * alignment }
}
