import ApusGraph
import class Apus.LazyStorage
import Foundation

/// The bytes of a tensor, and the storage that keeps them, where one does.
struct RawData {
    let bytes: UnsafeRawBufferPointer
    let owner: Storage?
}

extension Constant {
    /// Elements in place where their owner keeps them, copied when they are read if they are not aligned; else copied
    /// now. Truth values become 0 and 1.
    init(_ name: String, _ type: TensorType, _ raw: RawData) throws(ApusError) {
        guard raw.bytes.count == type.byteSize else {
            throw .file("\(raw.bytes.count) bytes of data, wanted \(type.byteSize) for \(type)")
        }
        let alignment = max(1, type.dtype.bitWidth / 8)
        if let owner = raw.owner, type.dtype != .bool, let base = raw.bytes.baseAddress {
            if Int(bitPattern: base) % alignment == 0 {
                self.init(name, type, owner, offset: base - owner.bytes.baseAddress!)
                return
            }
            if raw.bytes.count > 4096 {
                self.init(name, type, LazyStorage(copying: raw.bytes, of: owner))
                return
            }
        }
        guard let storage = HeapStorage(copying: raw.bytes) else {
            throw ApusError(.outOfMemory, "no memory for \(type)")
        }
        if type.dtype == .bool {
            let flags = storage.memory.assumingMemoryBound(to: UInt8.self)
            for i in 0..<type.byteSize { flags[i] = flags[i] == 0 ? 0 : 1 }
        }
        self.init(name, type, storage)
    }

    /// Copies the bytes out of a storage that will not last.
    mutating func ownBytes() {
        storage = HeapStorage(bytes)
        offset = 0
    }
}

extension HeapStorage {
    /// nil where there is no memory: a file decided the size.
    convenience init?(copying bytes: UnsafeRawBufferPointer) {
        guard bytes.count < 1 << 40, let probe = malloc(max(bytes.count, 1)) else { return nil }
        free(probe)
        self.init(bytes)
    }
}
