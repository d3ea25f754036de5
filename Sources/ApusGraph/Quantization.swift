/// How integers stand for reals: real = scale · (q − zero point).
public struct Quantization: Sendable {
    public enum Granularity: Sendable, Equatable {
        case perTensor
        /// One scale per index of `axis`.
        case perChannel(axis: Int)
        /// One scale per `size` (32, 64 or 128) elements along `axis`.
        case perBlock(axis: Int, size: Int)
    }

    public var granularity: Granularity
    public var scales: [Float]
    /// As many as scales, or none: symmetric.
    public var zeroPoints: [Int32]

    public init(granularity: Granularity = .perTensor, scales: [Float], zeroPoints: [Int32] = []) {
        self.granularity = granularity
        self.scales = scales
        self.zeroPoints = zeroPoints
    }

    /// Checks scales and zero points against the type they belong to.
    public func check(_ dtype: DType, _ shape: Shape) throws(ApusError) {
        let range: ClosedRange<Int32>
        switch dtype {
        case .i4: range = -8...7
        case .u4: range = 0...15
        case .i8: range = -128...127
        case .u8: range = 0...255
        case .i16: range = -32768...32767
        case .u16: range = 0...65535
        case .i32: range = 0...0
        default: throw .file("quantization of \(dtype.name), wanted an integer type")
        }
        let wanted: Int
        switch granularity {
        case .perTensor:
            wanted = 1
        case .perChannel(let axis):
            guard axis >= 0 && axis < shape.rank else {
                throw .file("quantization axis \(axis), wanted 0 ..< \(shape.rank)")
            }
            wanted = shape[axis]
        case .perBlock(let axis, let size):
            guard axis >= 0 && axis < shape.rank else {
                throw .file("quantization axis \(axis), wanted 0 ..< \(shape.rank)")
            }
            guard size == 32 || size == 64 || size == 128 else {
                throw .file("quantization block of \(size), wanted 32, 64 or 128")
            }
            let others = shape.replacing(axis, with: 1).count
            wanted = others * ((shape[axis] + size - 1) / size)
        }
        guard scales.count == wanted else { throw .file("\(scales.count) scales, wanted \(wanted)") }
        for scale in scales where !(scale > 0 && scale.isFinite) {
            throw .file("scale \(scale), wanted a positive finite number")
        }
        guard zeroPoints.isEmpty || zeroPoints.count == wanted else {
            throw .file("\(zeroPoints.count) zero points, wanted \(wanted) or none")
        }
        for zero in zeroPoints where !range.contains(zero) {
            throw .file("zero point \(zero), wanted \(range.lowerBound) ... \(range.upperBound) for \(dtype.name)")
        }
    }
}

extension Quantization: Equatable {
    /// No zero points are the same as zeros.
    public static func == (a: Quantization, b: Quantization) -> Bool {
        guard a.granularity == b.granularity && a.scales == b.scales else { return false }
        if a.zeroPoints.count == b.zeroPoints.count { return a.zeroPoints == b.zeroPoints }
        for zero in a.zeroPoints + b.zeroPoints where zero != 0 { return false }
        return a.zeroPoints.isEmpty || b.zeroPoints.isEmpty
    }
}
