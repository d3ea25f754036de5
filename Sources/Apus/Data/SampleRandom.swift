/// SplitMix64 (Steele, Lea and Flood, 2014), started from a key: what it draws is a pure function of the key, so a
/// shuffle or an augmentation is found again from its seed, epoch and index alone. The sequences are part of what a
/// checkpoint promises, so they never change.
struct SampleRandom: RandomNumberGenerator {
    /// What the draws are for; equal keys for different uses draw differently.
    enum Use: UInt64 {
        case shuffle = 1, split, augmentation
    }

    private var state: UInt64

    init(_ use: Use, seed: UInt64, epoch: Int = 0, index: Int = 0, step: Int = 0) {
        state = seed
        for key in [use.rawValue, UInt64(bitPattern: Int64(epoch)), UInt64(index), UInt64(step)] {
            state = Self.mix(state &+ Self.increment) ^ key
        }
    }

    private static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func next() -> UInt64 {
        state &+= Self.increment
        return Self.mix(state)
    }

    /// Uniform in 0 ..< bound, without bias (Lemire 2019); bound is positive.
    mutating func below(_ bound: Int) -> Int {
        let range = UInt64(bound)
        var product = next().multipliedFullWidth(by: range)
        if product.low < range {
            let threshold = (0 &- range) % range
            while product.low < threshold { product = next().multipliedFullWidth(by: range) }
        }
        return Int(product.high)
    }

    /// Uniform in 0 ..< 1, of 53 bits.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// 0 ..< count in an order drawn by Fisher and Yates' shuffle, from the last place to the first.
    mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for place in stride(from: count - 1, to: 0, by: -1) { order.swapAt(place, below(place + 1)) }
        return order
    }
}
