import ApusGraph

/// NumPy's file of named arrays: a zip of NPY files, stored or deflated.
public enum NPZ {
    private static let suffix = ".npy"

    /// Reads every array, in the order of the file.
    public static func read(_ path: String) throws(ApusError) -> [NamedTensor] {
        try FileBytes(contentsOf: path).withBytes { bytes throws(ApusError) in try parse(bytes, name: path) }
    }

    /// Reads the array of one name.
    public static func read(_ path: String, array: String) throws(ApusError) -> Tensor {
        let tensors = try read(path)
        guard let found = tensors.first(where: { $0.name == array }) else {
            throw .file("\(path): there is no array \"\(array)\" among \(tensors.map(\.name))")
        }
        return found.tensor
    }

    public static func write(
        _ tensors: [NamedTensor], to path: String, compressed: Bool = false
    ) throws(ApusError) {
        var zip = ZipWriter(name: path)
        for named in tensors {
            try zip.add(named.name + suffix, NPY.encode(named.tensor, name: path), compressed: compressed)
        }
        try AtomicFile.write(zip.finished(), to: path)
    }

    static func parse(_ bytes: UnsafeRawBufferPointer, name: String) throws(ApusError) -> [NamedTensor] {
        let zip = try ZipReader(bytes, name: name)
        var result: [NamedTensor] = []
        for entry in zip.entries {
            let place = "\(name)/\(entry.name)"
            guard entry.name.hasSuffix(suffix) else { throw .file("\(place): wanted only NPY files in an NPZ file") }
            let tensor = try zip.withContent(of: entry) { content throws(ApusError) in
                try NPY.parse(content, name: place)
            }
            result.append(NamedTensor(String(entry.name.dropLast(suffix.count)), tensor))
        }
        return result
    }
}
