/// Of the channels of a value, those along its last axis, the sum and the greatest magnitude of what was seen.
struct ChannelStatistics {
    private var sums: [Double]
    private(set) var extremes: [Double]
    /// Elements of each channel.
    private(set) var count = 0

    init(_ channels: Int) {
        sums = [Double](repeating: 0, count: channels)
        extremes = sums
    }

    var means: [Double] { sums.map { $0 / Double(max(1, count)) } }

    /// Values that are not finite count as 0.
    mutating func add(_ values: UnsafeBufferPointer<Float>) {
        let channels = sums.count
        guard channels > 0 else { return }
        sums.withUnsafeMutableBufferPointer { sums in
            extremes.withUnsafeMutableBufferPointer { extremes in
                for start in stride(from: 0, to: values.count - channels + 1, by: channels) {
                    for channel in 0..<channels {
                        let value = values[start + channel]
                        guard value.isFinite else { continue }
                        sums[channel] += Double(value)
                        extremes[channel] = max(extremes[channel], Double(abs(value)))
                    }
                }
            }
        }
        count += values.count / channels
    }
}
