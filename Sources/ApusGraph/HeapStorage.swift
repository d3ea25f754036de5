/// Zeroed memory that a constant owns.
public final class HeapStorage: Storage {
    public let memory: UnsafeMutableRawPointer

    public init(size: Int) {
        memory = .allocate(byteCount: max(size, 1), alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        super.init(UnsafeRawBufferPointer(start: memory, count: size))
    }

    public convenience override init(_ bytes: UnsafeRawBufferPointer) {
        self.init(size: bytes.count)
        if let base = bytes.baseAddress { memory.copyMemory(from: base, byteCount: bytes.count) }
    }

    public convenience init(_ bytes: [UInt8]) {
        self.init(size: bytes.count)
        bytes.withUnsafeBytes { if let base = $0.baseAddress { memory.copyMemory(from: base, byteCount: $0.count) } }
    }

    deinit { memory.deallocate() }
}

extension GraphBuilder {
    /// A constant of rank 0.
    public func scalar(_ value: Double, _ dtype: DType) -> Value {
        let storage: HeapStorage
        switch dtype {
        case .f64: storage = withUnsafeBytes(of: value) { HeapStorage($0) }
        case .i64: storage = withUnsafeBytes(of: Int64(exactly: value.rounded()) ?? 0) { HeapStorage($0) }
        case .i32: storage = withUnsafeBytes(of: Int32(exactly: value.rounded()) ?? 0) { HeapStorage($0) }
        default: storage = withUnsafeBytes(of: Float(value)) { HeapStorage($0) }
        }
        let type = TensorType(dtype == .f64 || dtype == .i64 || dtype == .i32 ? dtype : .f32, Shape())
        for (i, constant) in graph.constants.enumerated()
        where constant.type == type && constant.name.sameBytes("scalar")
            && constant.bytes.elementsEqual(storage.bytes)
        {
            return self.constant(i)
        }
        graph.constants.append(Constant("scalar", type, storage))
        return constant(graph.constants.count - 1)
    }
}
