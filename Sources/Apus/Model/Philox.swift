import Foundation

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011): random numbers as a function of (seed, stream, position).
///
/// A stream of 64 bits is the words 2 and 3 of the counter. The random kernels put their counter in words 1 and 2 and
/// their stream in word 3: word i here is element i there, for stream s << 32 here and counter 0, stream s there.
public struct Philox: RandomNumberGenerator, Sendable {
    private let key: SIMD2<UInt32>
    private let stream: UInt64
    private var position: UInt64 = 0
    private var block = SIMD4<UInt32>()
    private var used = 4
    private var spare: Double?

    public init(seed: UInt64, stream: UInt64 = 0) {
        key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        self.stream = stream
    }

    /// The block of four words at a counter.
    public static func block(_ counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var c = counter, k = key
        for _ in 0..<10 {
            let a = UInt64(c[0]) * 0xD251_1F53, b = UInt64(c[2]) * 0xCD9E_8D57
            c = SIMD4(
                UInt32(truncatingIfNeeded: b >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: b),
                UInt32(truncatingIfNeeded: a >> 32) ^ c[3] ^ k[1], UInt32(truncatingIfNeeded: a))
            k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
        }
        return c
    }

    public mutating func next32() -> UInt32 {
        if used == 4 {
            let counter = SIMD4(
                UInt32(truncatingIfNeeded: position), UInt32(truncatingIfNeeded: position >> 32),
                UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32))
            block = Philox.block(counter, key: key)
            position += 1
            used = 0
        }
        defer { used += 1 }
        return block[used]
    }

    public mutating func next() -> UInt64 { UInt64(next32()) << 32 | UInt64(next32()) }

    /// Uniform in [0, 1), 24 bits.
    public mutating func uniform() -> Float { Float(next32() >> 8) * 0x1p-24 }

    /// Standard normal, by Box and Muller (1958): two of every two words.
    public mutating func normal() -> Double {
        if let spare {
            self.spare = nil
            return spare
        }
        let radius = (-2 * log((Double(next32()) + 0.5) * 0x1p-32)).squareRoot()
        let angle = 2 * Double.pi * Double(uniform())
        spare = radius * sin(angle)
        return radius * cos(angle)
    }

    /// Standard normal, drawn again where its magnitude is above 2.
    public mutating func truncatedNormal() -> Double {
        while true {
            let value = normal()
            if abs(value) <= 2 { return value }
        }
    }
}
