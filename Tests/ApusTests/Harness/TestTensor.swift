import ApusGraph

/// A tensor of a test, its elements as doubles whatever its type.
struct TestTensor {
    var dtype: DType
    var shape: [Int]
    var values: [Double]
    /// Of the codes that the values are.
    var quantization: Quantization?

    init(_ dtype: DType = .f32, _ shape: [Int], _ values: [Double]) {
        self.dtype = dtype
        self.shape = shape
        self.values = values
        precondition(values.count == shape.reduce(1, *), "\(values.count) values for \(shape)")
    }

    var count: Int { values.count }
    var type: TensorType { TensorType(dtype, Shape(shape), quantization: quantization) }

    /// Row-major strides.
    var strides: [Int] {
        var result = [Int](repeating: 1, count: shape.count)
        for i in stride(from: shape.count - 2, through: 0, by: -1) { result[i] = result[i + 1] * shape[i + 1] }
        return result
    }

    subscript(_ index: [Int]) -> Double {
        get { values[offset(index)] }
        set { values[offset(index)] = newValue }
    }

    /// Without optimization, as tests are compiled, `while` takes a tenth of what sequences and closures do.
    private func offset(_ index: [Int]) -> Int {
        var offset = 0, axis = 0
        while axis < shape.count {
            offset = offset * shape[axis] + index[axis]
            axis += 1
        }
        return offset
    }

    /// Every index in row-major order.
    static func indices(_ shape: [Int]) -> [[Int]] {
        var index = shape.map { _ in 0 }
        return (0..<shape.reduce(1, *)).map { _ in
            let result = index
            var axis = shape.count - 1
            while axis >= 0 {
                index[axis] += 1
                if index[axis] < shape[axis] { break }
                index[axis] = 0
                axis -= 1
            }
            return result
        }
    }

    /// A tensor computed element by element.
    static func make(_ dtype: DType = .f32, _ shape: [Int], _ element: ([Int]) -> Double) -> TestTensor {
        TestTensor(dtype, shape, indices(shape).map(element))
    }

    func map(_ body: (Double) -> Double) -> TestTensor { TestTensor(dtype, shape, values.map(body)) }

    func converted(to dtype: DType) -> TestTensor { TestTensor(dtype, shape, values) }

    /// The elements in memory.
    var bytes: [UInt8] {
        func pack<T>(_ convert: (Double) -> T) -> [UInt8] { values.map(convert).withUnsafeBytes { [UInt8]($0) } }
        switch dtype {
        case .f32: return pack { Float($0) }
        case .f64: return pack { $0 }
        case .i32: return pack { Int32($0) }
        case .i64: return pack { Int64(exactly: $0) ?? ($0 < 0 ? .min : .max) }
        case .i16: return pack { Int16($0) }
        case .u16: return pack { UInt16($0) }
        case .i8: return pack { Int8($0) }
        case .u8: return pack { UInt8($0) }
        case .bool: return pack { UInt8($0) }
        case .f16: return pack { Float16($0) }
        case .bf16: return pack { UInt16(Float($0).bitPattern >> 16) }
        case .i4, .u4:
            return stride(from: 0, to: count, by: 2).map { i in
                UInt8(truncatingIfNeeded: Int(values[i]) & 15 | (i + 1 < count ? Int(values[i + 1]) << 4 : 0))
            }
        }
    }

    init(_ type: TensorType, bytes: [UInt8]) {
        func unpack<T>(_ type: T.Type, _ convert: (T) -> Double) -> [Double] {
            bytes.withUnsafeBytes { $0.bindMemory(to: T.self).map(convert) }
        }
        let values: [Double]
        switch type.dtype {
        case .f32: values = unpack(Float.self) { Double($0) }
        case .f64: values = unpack(Double.self) { $0 }
        case .i32: values = unpack(Int32.self) { Double($0) }
        case .i64: values = unpack(Int64.self) { Double($0) }
        case .i16: values = unpack(Int16.self) { Double($0) }
        case .u16: values = unpack(UInt16.self) { Double($0) }
        case .i8: values = unpack(Int8.self) { Double($0) }
        case .u8, .bool: values = unpack(UInt8.self) { Double($0) }
        case .f16: values = unpack(Float16.self) { Double($0) }
        case .bf16: values = unpack(UInt16.self) { Double(Float(bitPattern: UInt32($0) << 16)) }
        case .i4, .u4: preconditionFailure("4-bit test tensors")
        }
        self.init(type.dtype, type.shape.dimensions, values)
        quantization = type.quantization
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): seeded numbers for tests.
struct TestRandom: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
