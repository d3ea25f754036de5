import ApusGraph

/// The IDX format of the MNIST files: two zero bytes, a type, a rank, the dimensions and the elements, all big-endian;
/// often gzipped.
public enum IDX {
    private static let types: [(code: UInt8, dtype: DType)] = [
        (0x08, .u8), (0x09, .i8), (0x0B, .i16), (0x0C, .i32), (0x0D, .f32), (0x0E, .f64),
    ]

    /// Reads a file, gzipped or not.
    public static func read(_ path: String) throws(ApusError) -> Tensor {
        try FileBytes(contentsOf: path).withBytes { bytes throws(ApusError) in try parse(bytes, name: path) }
    }

    /// Writes u8, i8, i16, i32, f32 or f64; gzipped if the path ends in `.gz`.
    public static func write(_ tensor: Tensor, to path: String) throws(ApusError) {
        guard let type = types.first(where: { $0.dtype == tensor.dtype }), tensor.shape.count <= 255,
            tensor.shape.allSatisfy({ $0 <= Int(UInt32.max) })
        else { throw .unsupported("\(path): IDX holds u8, i8, i16, i32, f32 and f64, not \(tensor)") }
        var content: [UInt8] = [0, 0, type.code, UInt8(tensor.shape.count)]
        for dimension in tensor.shape {
            withUnsafeBytes(of: UInt32(dimension).bigEndian) { content.append(contentsOf: $0) }
        }
        let header = content.count
        tensor.withUnsafeBytes { content.append(contentsOf: $0) }
        content.withUnsafeMutableBytes {
            swapBytes(of: UnsafeMutableRawBufferPointer(rebasing: $0[header...]), width: tensor.dtype.bitWidth / 8)
        }
        if path.hasSuffix(".gz") {
            content = try content.span.withUnsafeBytes { bytes throws(ApusError) in
                try Deflate.compress(bytes, container: .gzip)
            }
        }
        try AtomicFile.write(content, to: path)
    }

    static func parse(_ bytes: UnsafeRawBufferPointer, name: String) throws(ApusError) -> Tensor {
        let view = ByteView(bytes: bytes, name: name), layout = try layout(view, fileSize: bytes.count)
        return try Tensor(dtype: layout.dtype, shape: layout.shape) { destination throws(ApusError) in
            destination.copyMemory(from: try view.slice(layout.start, destination.count, "the elements"))
            swapBytes(of: destination, width: layout.dtype.bitWidth / 8)
        }
    }

    /// What the header says of a file of `fileSize` bytes, whose first ones are `view`.
    static func layout(_ view: ByteView, fileSize: Int) throws(ApusError) -> TensorLayout {
        let name = view.name
        let magic = try view.slice(0, 4, "the IDX magic number")
        guard magic[0] == 0, magic[1] == 0, let type = types.first(where: { $0.code == magic[2] }) else {
            throw .file("\(name): found the bytes \(Array(magic)), wanted an IDX file: 0, 0, a type and a rank")
        }
        var shape: [Int] = []
        for axis in 0..<Int(magic[3]) {
            shape.append(Int(UInt32(try view.integer(UInt32.self, at: 4 + 4 * axis, "dimension \(axis)")).byteSwapped))
        }
        let header = 4 + 4 * shape.count
        let found = fileSize - header
        let wanted = try inFile(name) { () throws(ApusError) in try Tensor.size(of: type.dtype, shape: shape).bytes }
        guard found == wanted else {
            throw .file("\(name): found \(found) bytes of elements, wanted \(wanted) for \(type.dtype.name) \(shape)")
        }
        return TensorLayout(dtype: type.dtype, shape: shape, start: header, isBigEndian: true)
    }

    /// The labels of `count` pictures, i32 [N].
    static func labels(_ path: String, count: Int) throws(ApusError) -> Tensor {
        let classes = try read(path)
        guard classes.shape.count == 1 else {
            throw .file("\(path): found labels of shape \(classes.shape), wanted one dimension")
        }
        guard count == classes.shape[0] else {
            throw .file("\(path): found \(classes.shape[0]) labels, wanted \(count), one a picture")
        }
        return try classes.converted(to: .i32)
    }

    /// Between big-endian and the host's little-endian.
    static func swapBytes(of bytes: UnsafeMutableRawBufferPointer, width: Int) {
        guard width > 1 else { return }
        for start in stride(from: 0, to: bytes.count, by: width) {
            bytes[start..<start + width].reverse()
        }
    }
}

/// Names the file in front of an error, and makes a wrong shape the file's fault.
func inFile<Result>(_ name: String, _ body: () throws(ApusError) -> Result) throws(ApusError) -> Result {
    do throws(ApusError) {
        return try body()
    } catch {
        throw ApusError(error.code == .badShape ? .badFile : error.code, "\(name): \(error.message)")
    }
}

extension Dataset {
    /// Pictures and labels of two IDX files: inputs u8 [N, H, W, 1], or as the file says if it is not of rank 3, and
    /// targets i32 [N].
    public static func idx(
        images: String, labels: String, classNames: [String] = []
    ) throws(ApusError) -> Dataset {
        let pictures = try IDX.read(images)
        let classes = try IDX.labels(labels, count: pictures.rowCount)
        let shape = pictures.shape.count == 3 ? pictures.shape + [1] : pictures.shape
        return try Dataset(
            inputs: pictures.reshaped(shape), targets: classes, classNames: classNames)
    }
}
