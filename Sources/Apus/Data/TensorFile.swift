import ApusGraph
import Foundation

/// What rows can be taken of: a tensor in memory, or one in a file.
public protocol TensorRows: Sendable {
    var dtype: DType { get }
    /// The first dimension is that of the rows.
    var shape: [Int] { get }
    /// The rows of the given indices, in their order; an index may come more than once.
    func rows(_ indices: [Int]) throws(ApusError) -> Tensor
}

extension Tensor: TensorRows {}

/// An array in an NPY or IDX file that is not compressed, whose rows are read when they are asked for. The file stays open; it is
/// read, not mapped, so that one cut short or a failing disk is an error and no crash.
public struct TensorFile: TensorRows {
    public let path: String
    public let dtype: DType
    public let shape: [Int]
    private let file: OpenFile
    /// Where the elements begin.
    private let start: Int
    private let rowBytes: Int
    private let isBigEndian: Bool

    /// Reads the header.
    ///
    /// - Throws: `.ioError` for what cannot be opened or is not a regular file, `.badFile` for a broken file or one of another
    ///   kind, `.unsupported` for one that is gzipped, in Fortran order or a scalar.
    public init(_ path: String) throws(ApusError) {
        file = try OpenFile(path)
        self.path = path
        let head = try file.read(at: 0, count: min(file.size, 1 << 17))
        let size = file.size
        let layout = try head.withUnsafeBytes { bytes throws(ApusError) in
            if bytes.starts(with: [0x1F, 0x8B]) {
                throw ApusError.unsupported("\(path): gzipped, wanted a file that is not, whose rows can be read alone")
            }
            let view = ByteView(bytes: bytes, name: path)
            return bytes.first == 0 ? try IDX.layout(view, fileSize: size) : try NPY.layout(view, fileSize: size)
        }
        guard !layout.shape.isEmpty else { throw .unsupported("\(path): a scalar, wanted rows") }
        guard !layout.isFortran || layout.shape.count == 1 else {
            throw .unsupported("\(path): in Fortran order, wanted C order, whose rows can be read alone")
        }
        (dtype, shape, start, isBigEndian) = (layout.dtype, layout.shape, layout.start, layout.isBigEndian)
        rowBytes = try inFile(path) { () throws(ApusError) in
            try Tensor.size(of: layout.dtype, shape: Array(layout.shape.dropFirst())).bytes
        }
    }

    private init(_ other: TensorFile, _ shape: [Int]) {
        (path, dtype, self.shape) = (other.path, other.dtype, shape)
        (file, start, rowBytes, isBigEndian) = (other.file, other.start, other.rowBytes, other.isBigEndian)
    }

    /// The same rows, each in a shape of as many elements.
    public func reshaped(row: [Int]) throws(ApusError) -> TensorFile {
        let own = try Tensor.size(of: dtype, shape: Array(shape.dropFirst())).count
        guard try Tensor.size(of: dtype, shape: row).count == own else {
            throw .shape("\(path): rows \(Array(shape.dropFirst())) of \(own) elements cannot take shape \(row)")
        }
        return TensorFile(self, [shape[0]] + row)
    }

    /// - Throws: `.invalidArgument` for an index outside the rows, `.ioError` for what cannot be read, `.badFile` for a file that
    ///   has become shorter.
    public func rows(_ indices: [Int]) throws(ApusError) -> Tensor {
        if let stray = indices.first(where: { $0 < 0 || $0 >= shape[0] }) {
            throw .argument("\(path): row \(stray) is outside 0..<\(shape[0])")
        }
        return try Tensor(dtype: dtype, shape: [indices.count] + shape.dropFirst()) { bytes throws(ApusError) in
            for (place, index) in indices.enumerated() {
                let row = UnsafeMutableRawBufferPointer(rebasing: bytes[place * rowBytes..<(place + 1) * rowBytes])
                try file.read(at: start + index * rowBytes, into: row)
            }
            if isBigEndian { IDX.swapBytes(of: bytes, width: dtype.bitWidth / 8) }
            if dtype == .bool { NPY.normalizeBools(bytes) }
        }
    }
}

/// An array's place in a file.
struct TensorLayout {
    var dtype: DType
    var shape: [Int]
    var start: Int
    var isBigEndian = false
    var isFortran = false
}

/// A regular file, open for reading at any place from any thread.
private final class OpenFile: Sendable {
    let path: String
    let size: Int
    private let descriptor: Int32

    init(_ path: String) throws(ApusError) {
        self.path = path
        // A pipe without a writer would block.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .cannot("open", path) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else {
            close(descriptor)
            throw .cannot("open", path)
        }
        guard information.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw ApusError(.ioError, "\(path): found something that is not a regular file, wanted a file")
        }
        size = Int(information.st_size)
    }

    deinit { close(descriptor) }

    func read(at offset: Int, count: Int) throws(ApusError) -> Tensor {
        try Tensor(dtype: .u8, shape: [count]) { bytes throws(ApusError) in try read(at: offset, into: bytes) }
    }

    func read(at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws(ApusError) {
        var done = 0
        while done < bytes.count {
            let count = pread(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .cannot("read", path) }
            guard count > 0 else {
                throw .file(
                    "\(path): ends before byte \(offset + done), wanted the \(size) bytes that it had when it was opened")
            }
            done += count
        }
    }
}
