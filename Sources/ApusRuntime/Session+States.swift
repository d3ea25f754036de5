import ApusGraph
import CSystem

extension Session {
    public var stateCount: Int { model.graph.states.count }

    /// The memory of a state. The index is one of the graph's.
    public func state(_ index: Int) -> UnsafeMutableRawBufferPointer {
        var offset = 0
        for state in model.graph.states[..<index] { offset += ArenaLayout.aligned(state.type.byteSize) }
        return UnsafeMutableRawBufferPointer(
            start: header.pointee.states + offset, count: model.graph.states[index].type.byteSize)
    }

    /// Every state to its value in the file.
    public func resetStates() {
        var address = header.pointee.states
        for state in model.graph.states {
            let size = state.type.byteSize
            if let initial = state.initial, let source = initial.bytes.baseAddress {
                address.copyMemory(from: source, byteCount: size)
            } else {
                address.initializeMemory(as: UInt8.self, repeating: 0, count: size)
            }
            address += ArenaLayout.aligned(size)
        }
    }

    /// Bytes that `saveStates` writes: a checksum, then each state's bytes in order.
    public var statesSize: Int {
        var size = Session.statesHeader
        for state in model.graph.states { size += state.type.byteSize }
        return size
    }

    private static let statesHeader = 8

    /// Identifies the states' names and types, so that another model's states are not loaded. Allocates nothing.
    private var statesKey: UInt32 {
        var key: UInt32 = 0
        for state in model.graph.states {
            state.name.withBytes { bytes in
                for byte in bytes { key = Session.adding(UInt32(byte), to: key) }
            }
            key = Session.adding(state.type.dtype.rawValue, to: key)
            for axis in 0..<state.type.shape.rank {
                key = Session.adding(UInt32(truncatingIfNeeded: state.type.shape[axis]), to: key)
            }
        }
        return key
    }

    private static func adding(_ value: UInt32, to key: UInt32) -> UInt32 {
        withUnsafeBytes(of: value.littleEndian) { cs_crc32(key, $0.baseAddress, $0.count) }
    }

    /// Calls `body` with each state's memory and its place in the block that `saveStates` writes.
    private func eachState(_ body: (_ memory: UnsafeMutableRawBufferPointer, _ offset: Int) -> Void) {
        var address = header.pointee.states
        var offset = Session.statesHeader
        for state in model.graph.states {
            let size = state.type.byteSize
            body(UnsafeMutableRawBufferPointer(start: address, count: size), offset)
            address += ArenaLayout.aligned(size)
            offset += size
        }
    }

    public func saveStates(_ bytes: UnsafeMutableRawBufferPointer) throws(ApusError) {
        try checkStates(bytes.count)
        eachState { memory, offset in
            UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<offset + memory.count])
                .copyMemory(from: UnsafeRawBufferPointer(memory))
        }
        let data = UnsafeRawBufferPointer(bytes)
        bytes.storeBytes(of: statesKey.littleEndian, toByteOffset: 0, as: UInt32.self)
        bytes.storeBytes(of: checksum(data).littleEndian, toByteOffset: 4, as: UInt32.self)
    }

    public func loadStates(_ bytes: UnsafeRawBufferPointer) throws(ApusError) {
        try checkStates(bytes.count)
        guard UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)) == statesKey else {
            throw .argument("states of another model")
        }
        guard UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)) == checksum(bytes) else {
            throw .argument("states whose checksum does not match")
        }
        eachState { memory, offset in
            memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + memory.count]))
        }
    }

    /// The states of another session whose model has the same.
    public func copyStates(from source: Session) throws(ApusError) {
        guard hasStates(of: source) else { throw .argument("states of another model") }
        copyStates(of: source)
    }

    /// Whether the states of another session are of the same names and types. Allocates nothing.
    public func hasStates(of source: Session) -> Bool {
        header.pointee.statesSize == source.header.pointee.statesSize && statesKey == source.statesKey
    }

    /// The states of a session that `hasStates`. Allocates nothing.
    public func copyStates(of source: Session) {
        header.pointee.states.copyMemory(from: source.header.pointee.states, byteCount: header.pointee.statesSize)
    }

    private func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        cs_crc32(0, bytes.baseAddress! + Session.statesHeader, bytes.count - Session.statesHeader)
    }

    private func checkStates(_ size: Int) throws(ApusError) {
        guard size == statesSize else { throw .shape("states of \(size) bytes, wanted \(statesSize)") }
    }
}
