import ApusGraph

/// NumPy's file of one array, versions 1 to 3: every little-endian type that `DType` has, in C or Fortran order.
public enum NPY {
    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    private static let alignment = 64

    public static func read(_ path: String) throws(ApusError) -> Tensor {
        try FileBytes(contentsOf: path).withBytes { bytes throws(ApusError) in try parse(bytes, name: path) }
    }

    /// Writes version 1 in C order. `bf16`, `i4` and `u4`, which NumPy lacks, are `.unsupported`.
    public static func write(_ tensor: Tensor, to path: String) throws(ApusError) {
        try AtomicFile.write(encode(tensor, name: path), to: path)
    }

    static func encode(_ tensor: Tensor, name: String) throws(ApusError) -> [UInt8] {
        guard let type = NPYHeader.types.first(where: { $0.dtype == tensor.dtype }) else {
            throw .unsupported("\(name): NumPy has no type \(tensor.dtype.name)")
        }
        let text = NPYHeader(descr: type.descr, fortranOrder: false, shape: tensor.shape).text.utf8
        let start = magic.count + 4
        let padding = (alignment - (start + text.count + 1) % alignment) % alignment
        let length = text.count + padding + 1
        guard length <= UInt16.max else {
            throw .unsupported("\(name): the shape has \(tensor.shape.count) dimensions")
        }
        var result = magic + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
        result.reserveCapacity(start + length + tensor.byteCount)
        result.append(contentsOf: text)
        result.append(contentsOf: repeatElement(UInt8(ascii: " "), count: padding))
        result.append(UInt8(ascii: "\n"))
        tensor.withUnsafeBytes { result.append(contentsOf: $0) }
        return result
    }

    static func parse(_ bytes: UnsafeRawBufferPointer, name: String) throws(ApusError) -> Tensor {
        let view = ByteView(bytes: bytes, name: name), layout = try layout(view, fileSize: bytes.count)
        return try Tensor(dtype: layout.dtype, shape: layout.shape) { destination throws(ApusError) in
            let elements = try view.slice(layout.start, destination.count, "the elements")
            if layout.isFortran, layout.shape.count > 1 {
                copyFromFortranOrder(elements, to: destination, shape: layout.shape, width: layout.dtype.bitWidth / 8)
            } else {
                destination.copyMemory(from: elements)
            }
            if layout.dtype == .bool { normalizeBools(destination) }
        }
    }

    /// What is not 0 becomes 1.
    static func normalizeBools(_ bytes: UnsafeMutableRawBufferPointer) {
        for index in bytes.indices where bytes[index] != 0 { bytes[index] = 1 }
    }

    /// What the header says of a file of `fileSize` bytes, whose first ones are `view`.
    static func layout(_ view: ByteView, fileSize: Int) throws(ApusError) -> TensorLayout {
        let name = view.name
        guard view.starts(with: magic) else {
            throw .file("\(name): found the bytes \(Array(view.bytes.prefix(magic.count))), wanted an NPY file: \(magic)")
        }
        let version = try view.integer(UInt8.self, at: magic.count, "the version")
        guard 1...3 ~= version else { throw .file("\(name): found NPY version \(version), wanted 1, 2 or 3") }
        let lengthAt = magic.count + 2
        let lengthSize = version == 1 ? 2 : 4
        let length = version == 1
            ? try view.integer(UInt16.self, at: lengthAt, "the header's length")
            : try view.integer(UInt32.self, at: lengthAt, "the header's length")
        let header = try NPYHeader(parsing: view.slice(lengthAt + lengthSize, length, "the header"), name: name)
        guard let dtype = NPYHeader.types.first(where: { $0.descr == header.descr })?.dtype else {
            let known = NPYHeader.types.map(\.descr).joined(separator: " ")
            throw .unsupported("\(name): found elements of type '\(header.descr)', wanted one of \(known)")
        }
        let start = lengthAt + lengthSize + length
        let wanted = try inFile(name) { () throws(ApusError) in try Tensor.size(of: dtype, shape: header.shape).bytes }
        guard fileSize - start == wanted else {
            throw .file("\(name): found \(fileSize - start) bytes of elements, wanted \(wanted) "
                + "for \(dtype.name) \(header.shape)")
        }
        return TensorLayout(dtype: dtype, shape: header.shape, start: start, isFortran: header.fortranOrder)
    }

    /// Walks the destination in order, with the source's index kept like the wheels of a counter.
    private static func copyFromFortranOrder(
        _ source: UnsafeRawBufferPointer, to destination: UnsafeMutableRawBufferPointer, shape: [Int], width: Int
    ) {
        guard !source.isEmpty else { return }
        var strides: [Int] = []
        var stride = width
        for dimension in shape {
            strides.append(stride)
            stride *= dimension
        }
        var index = Array(repeating: 0, count: shape.count)
        var offset = 0
        for start in Swift.stride(from: 0, to: destination.count, by: width) {
            (destination.baseAddress! + start).copyMemory(from: source.baseAddress! + offset, byteCount: width)
            for axis in shape.indices.reversed() {
                index[axis] += 1
                offset += strides[axis]
                if index[axis] < shape[axis] { break }
                offset -= strides[axis] * shape[axis]
                index[axis] = 0
            }
        }
    }
}
