import ApusGraph

/// What the element type makes of a number.
private func converted(_ x: Double, to dtype: DType) -> Double {
    func integer<T: FixedWidthInteger>(_ type: T.Type) -> Double {
        if x.isNaN { return 0 }
        return Double(T(exactly: x.rounded(.towardZero)) ?? (x < 0 ? T.min : T.max))
    }
    switch dtype {
    case .f32: return Double(Float(x))
    case .f64: return x
    case .f16: return Double(Float16(x))
    case .bf16: return brain(Float(x))
    case .i8: return integer(Int8.self)
    case .u8: return integer(UInt8.self)
    case .i16: return integer(Int16.self)
    case .u16: return integer(UInt16.self)
    case .i32: return integer(Int32.self)
    case .i64: return integer(Int64.self)
    default: return x == 0 ? 0 : 1
    }
}

/// To nearest with 16 bits, halves to even.
private func brain(_ x: Float) -> Double {
    guard x.isFinite else { return Double(x) }
    let bits = x.bitPattern
    return Double(Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000))
}

private let types: [DType] = [.f32, .f64, .f16, .bf16, .i8, .u8, .i16, .u16, .i32, .i64, .bool]

private let numbers: [Double] = TestInput.specialFloats + [
    1e10, -1e10, 127.5, 128, -128.75, -129, 255.5, 256, 300.25, 32_767.5, -32_769, 65_535, 65_536, 2_147_483_520,
    2_147_483_648, -2_147_483_648, 9.3e18, -9.3e18, 1.00390625, 1.01171875, 2_049, 65_519, 65_520, 1e-7,
]

let castCases: [OperatorCase] = types.map { dtype in
    OperatorCase("Cast f32 to \(dtype.name)", Cast(dtype), [.floats([2, numbers.count / 2], numbers)], tolerance: 0) {
        [TestTensor(dtype, $0[0].shape, $0[0].values.map { converted($0, to: dtype) })]
    }
} + types.dropFirst().map { dtype in
    let range = 0...(dtype == .bool ? 1 : 127)
    return OperatorCase("Cast \(dtype.name) to f32", Cast(.f32), [.integers([3, 700], range, dtype)], tolerance: 0) {
        [$0[0].converted(to: .f32)]
    }
} + [DType.i8, .u8, .i16, .u16, .i32].map { dtype in
    OperatorCase("Cast i64 to \(dtype.name)", Cast(dtype), [.integers([1100], -70_000...70_000, .i64)], tolerance: 0) {
        [TestTensor.elementwise($0, as: dtype) { $0[0] }]
    }
} + [
    OperatorCase("Cast to f64", Cast(.f64), [.real([2, 7])], gradients: [0], tolerance: 0) {
        [$0[0].converted(to: .f64)]
    },
    OperatorCase("Cast of nothing", Cast(.i8), [.real([0])]) { [$0[0].converted(to: .i8)] },
]
