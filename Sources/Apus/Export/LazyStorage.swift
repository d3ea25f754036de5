public import ApusGraph
import ApusRuntime

/// Bytes that are made when they are first read and can be given back: so weights that a conversion moves about take
/// memory only while they are looked at.
public final class LazyStorage: Storage {
    private let make: (UnsafeMutableRawPointer) -> Void
    private let byteCount: Int
    private var made: HeapStorage?
    /// The matrix whose rows and columns these bytes have exchanged; nil where they are made otherwise.
    let transposed: Constant?
    /// The same bytes where they lie, at any alignment; nil where they are made otherwise.
    let unaligned: UnsafeRawBufferPointer?
    private let source: Storage?

    private init(
        size: Int, transposed: Constant? = nil, unaligned: UnsafeRawBufferPointer? = nil, source: Storage?,
        make: @escaping (UnsafeMutableRawPointer) -> Void
    ) {
        byteCount = size
        self.transposed = transposed
        self.unaligned = unaligned
        self.source = source
        self.make = make
        super.init(UnsafeRawBufferPointer(start: nil, count: 0))
    }

    /// An aligned copy of bytes that `owner` keeps.
    public convenience init(copying bytes: UnsafeRawBufferPointer, of owner: Storage) {
        self.init(size: bytes.count, unaligned: bytes, source: owner) { memory in
            if let base = bytes.baseAddress { memory.copyMemory(from: base, byteCount: bytes.count) }
        }
    }

    /// A plain constant transposed, as a constant whose elements are moved when they are read.
    static func transpose(_ constant: Constant, _ op: Transpose, name: String) throws(ApusError) -> Constant {
        let type = try op.outputTypes([constant.type])[0]
        let site = KernelSite(inputs: [constant.type], outputs: [type], isa: InstructionSet.selected, lanes: 1)
        let launches = try op.kernels(site).launches
        let storage = LazyStorage(
            size: type.byteSize, transposed: op.permutation == [1, 0] ? constant : nil, source: constant.storage
        ) { memory in
            let operands = [UnsafeMutableRawPointer(mutating: constant.bytes.baseAddress), memory]
            for launch in launches {
                launch.params.withUnsafeBytes { launch.task($0.baseAddress, operands, 0, launch.units, 0) }
            }
            constant.storage.discard()
        }
        return Constant(name, type, storage)
    }

    public override var size: Int { byteCount }

    public override var bytes: UnsafeRawBufferPointer {
        if let made { return made.bytes }
        let new = HeapStorage(size: byteCount)
        make(new.memory)
        made = new
        return new.bytes
    }

    public override func discard() {
        made = nil
        source?.discard()
    }
}

/// The bytes that a constant's elements come from, without making any, and whether rows and columns are to be exchanged.
struct StoredBytes {
    let bytes: UnsafeRawBufferPointer
    let isTransposed: Bool

    init(_ constant: Constant) {
        let lazy = constant.storage as? LazyStorage
        if let original = lazy?.transposed, constant.offset == 0 {
            let stored = StoredBytes(original)
            (bytes, isTransposed) = (stored.bytes, !stored.isTransposed)
        } else {
            let size = constant.type.byteSize
            bytes =
                lazy?.unaligned.map { UnsafeRawBufferPointer(rebasing: $0[constant.offset..<constant.offset + size]) }
                ?? constant.bytes
            isTransposed = false
        }
    }
}

/// A plain matrix [rows, columns] as it lies in memory: element (i, j) at i·rowStride + j·columnStride, at any alignment.
struct StoredMatrix {
    let base: UnsafeRawPointer?
    let rowStride: Int
    let columnStride: Int

    init(_ constant: Constant) {
        let stored = StoredBytes(constant), shape = constant.type.shape
        base = stored.bytes.baseAddress
        (rowStride, columnStride) = stored.isTransposed ? (1, shape[shape.rank - 2]) : (shape.last, 1)
    }
}
