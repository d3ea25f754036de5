/// How often values fall where, in a fixed number of bins over −limit ..< limit. The limit doubles, and pairs of bins
/// become one, when a value lies beyond it: memory does not grow with the data.
struct Histogram {
    static let binCount = 4096
    /// So that a bin's width has an inverse.
    private static let leastLimit: Float = 0x1p-100

    private(set) var counts = [UInt64](repeating: 0, count: Histogram.binCount)
    /// 0 until the first value that is not 0.
    private(set) var limit: Float = 0
    private(set) var minimum: Float = 0
    private(set) var maximum: Float = 0
    private(set) var total: UInt64 = 0

    var binWidth: Double { 2 * Double(limit) / Double(Histogram.binCount) }

    /// Values that are not finite count as nothing. 0 is always in the range.
    mutating func add(_ values: UnsafeBufferPointer<Float>) {
        var low: Float = 0, high: Float = 0
        for value in values where value.isFinite {
            low = min(low, value)
            high = max(high, value)
        }
        minimum = min(minimum, low)
        maximum = max(maximum, high)
        grow(to: max(-low, high))
        guard limit > 0 else {
            counts[Histogram.binCount / 2] += UInt64(values.count)
            total += UInt64(values.count)
            return
        }
        let scale = Float(Histogram.binCount / 2) / limit
        let last = Float(Histogram.binCount - 1)
        counts.withUnsafeMutableBufferPointer { counts in
            for value in values where value.isFinite {
                counts[Int(min(max(value * scale + Float(Histogram.binCount / 2), 0), last))] += 1
            }
        }
        total += UInt64(values.count)
    }

    private mutating func grow(to magnitude: Float) {
        guard magnitude > limit else { return }
        if limit == 0 {
            limit = max(magnitude, Histogram.leastLimit)
            return
        }
        while limit < magnitude && limit < .greatestFiniteMagnitude / 2 {
            var merged = [UInt64](repeating: 0, count: Histogram.binCount)
            for i in 0..<Histogram.binCount { merged[Histogram.binCount / 4 + i / 2] += counts[i] }
            counts = merged
            limit *= 2
        }
    }

    /// The middle of a bin.
    func center(_ bin: Int) -> Double { (Double(bin) + 0.5) * binWidth - Double(limit) }
}
