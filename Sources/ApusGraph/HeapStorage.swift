/// Zeroed memory that a constant owns.
public final class HeapStorage: Storage {
    public let memory: UnsafeMutableRawPointer

    public init(size: Int) {
        memory = .allocate(byteCount: max(size, 1), alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        super.init(UnsafeRawBufferPointer(start: memory, count: size))
    }

    public override convenience init(_ bytes: UnsafeRawBufferPointer) {
        self.init(size: bytes.count)
        if let base = bytes.baseAddress { memory.copyMemory(from: base, byteCount: bytes.count) }
    }

    public convenience init(_ bytes: [UInt8]) {
        self.init(size: bytes.count)
        bytes.withUnsafeBytes { if let base = $0.baseAddress { memory.copyMemory(from: base, byteCount: $0.count) } }
    }

    deinit { memory.deallocate() }
}
