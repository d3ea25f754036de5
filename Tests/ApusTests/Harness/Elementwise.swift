import ApusGraph

/// References of operators that work element by element.
extension TestTensor {
    /// f of the elements that stand at the same place after broadcasting, as `dtype`, by default the last tensor's.
    static func elementwise(
        _ tensors: [TestTensor], as dtype: DType? = nil, _ f: ([Double]) -> Double
    ) -> TestTensor {
        let rank = tensors.map { $0.shape.count }.max()!
        let aligned = tensors.map { t in
            TestTensor(t.dtype, [Int](repeating: 1, count: rank - t.shape.count) + t.shape, t.values)
        }
        let shape = (0..<rank).map { axis in
            aligned.map { $0.shape[axis] }.reduce(1) { $1 == 1 ? $0 : $1 }
        }
        let strides = aligned.map { t in zip(t.shape, t.strides).map { $0 == 1 ? 0 : $1 } }
        let type = dtype ?? tensors.last!.dtype
        return make(type, shape) { index in
            let elements = zip(aligned, strides).map { t, s in t.values[zip(index, s).reduce(0) { $0 + $1.0 * $1.1 }] }
            return type.stored(f(elements))
        }
    }
}

extension DType {
    /// `value` as an element holds it: rounded to float, or its low bits.
    func stored(_ value: Double) -> Double {
        switch self {
        case .f32: Double(Float(value))
        case .f16: Double(Float16(value))
        case .i8: Double(Int8(truncatingIfNeeded: Int(value)))
        case .u8: Double(UInt8(truncatingIfNeeded: Int(value)))
        case .i16: Double(Int16(truncatingIfNeeded: Int(value)))
        case .u16: Double(UInt16(truncatingIfNeeded: Int(value)))
        case .i32: Double(Int32(truncatingIfNeeded: Int(value)))
        default: value
        }
    }
}

extension TestInput {
    /// A float tensor of these numbers, rounded to f32.
    static func floats(_ shape: [Int], _ values: [Double]) -> TestInput {
        .values(TestTensor(.f32, shape, values.map { Double(Float($0)) }))
    }

    /// Zeros of both signs, infinities, NaN, the smallest, the largest, halves and integers.
    static let specialFloats: [Double] = [
        0, -0.0, 1, -1, .infinity, -.infinity, .nan, 1e-40, -1e-40, 3e38, -3e38, 0.5, -0.5, 1.5, 2.5, -2.5, 7, -103,
    ]

    static let special = floats([specialFloats.count], specialFloats)
}
