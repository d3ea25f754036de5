import CModelFormat

/// Memory for the messages of one file while it is packed; freed together.
public final class WireArena {
    private var blocks: [UnsafeMutableRawPointer] = []

    public init() {}

    deinit { for block in blocks { block.deallocate() } }

    public func allocate<T>(_ count: Int, of type: T.Type) -> UnsafeMutablePointer<T> {
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: max(1, count * MemoryLayout<T>.stride), alignment: 16)
        blocks.append(block)
        return block.bindMemory(to: T.self, capacity: max(1, count))
    }

    /// A message set to its defaults by `initialise` and filled in by `fill`.
    public func message<M>(
        _ initialise: (UnsafeMutablePointer<M>?) -> Void, _ fill: (inout M) -> Void = { _ in }
    ) -> UnsafeMutablePointer<M> {
        let pointer = allocate(1, of: M.self)
        initialise(pointer)
        fill(&pointer.pointee)
        return pointer
    }

    public func array<T>(_ elements: [T]) -> UnsafeMutablePointer<T> {
        let pointer = allocate(elements.count, of: T.self)
        for (i, element) in elements.enumerated() { (pointer + i).initialize(to: element) }
        return pointer
    }

    public func string(_ text: String) -> UnsafeMutablePointer<CChar> {
        text.withBytes { bytes in
            let pointer = allocate(bytes.count + 1, of: CChar.self)
            for i in 0..<bytes.count { pointer[i] = CChar(bitPattern: bytes[i]) }
            pointer[bytes.count] = 0
            return pointer
        }
    }

    /// Shapes, axes and other lists of small integers.
    public func int32s(_ values: [Int]) -> UnsafeMutablePointer<Int32> { array(values.map { Int32(clamping: $0) }) }
    public func uint32s(_ values: [Int]) -> UnsafeMutablePointer<UInt32> { array(values.map { UInt32(clamping: $0) }) }
}

/// A repeated field of a file, bounded before it becomes an array.
public func wireList<T: BinaryInteger>(
    _ count: Int, _ values: UnsafeMutablePointer<T>?, limit: Int, _ what: String
) throws(ApusError) -> [Int] {
    guard count <= limit else { throw .file("\(count) \(what), wanted at most \(limit)") }
    guard count > 0, let values else { return [] }
    var result: [Int] = []
    result.reserveCapacity(count)
    for i in 0..<count { result.append(Int(truncatingIfNeeded: values[i])) }
    return result
}
