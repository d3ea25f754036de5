import ApusGraph
import Foundation

/// The pictures of a folder, each read when it is needed: a subfolder for each class holds its pictures as .png, .jpg or .jpeg;
/// other files are left alone. Classes stand in the order of their names, pictures in that of theirs.
///
/// The input is u8 [height, width, C], the target i32 [].
public struct ImageFolder: SampleSource {
    /// The files of the samples.
    public let paths: [String]
    /// The class of each.
    public let labels: [Int32]
    public let classNames: [String]
    private let height: Int
    private let width: Int
    private let channels: ImageFile.Channels

    public var count: Int { paths.count }
    public var inputFields: [SampleField] { [SampleField("input", .u8, [height, width, channels.rawValue])] }
    public var targetFields: [SampleField] { [SampleField("target", .i32, [])] }

    /// Lists the folder.
    ///
    /// - Throws: `.badFile` without a subfolder or for one without a picture, `.ioError` for what cannot be listed,
    ///   `.invalidArgument` for a size below 1.
    public init(
        _ path: String, height: Int, width: Int, channels: ImageFile.Channels = .rgb
    ) throws(ApusError) {
        guard height > 0, width > 0 else { throw .argument("cannot resize pictures to \(height) × \(width)") }
        let classes = try ImageFolder.names(in: path).filter { ImageFolder.isFolder("\(path)/\($0)") }
        guard !classes.isEmpty else { throw .file("\(path): found no subfolders, wanted one for each class") }
        var files: [String] = [], labels: [Int32] = []
        for (index, name) in classes.enumerated() {
            let folder = "\(path)/\(name)"
            let pictures = try ImageFolder.names(in: folder).filter(ImageFolder.isPicture)
            guard !pictures.isEmpty else { throw .file("\(folder): found no .png, .jpg or .jpeg files") }
            files += pictures.map { "\(folder)/\($0)" }
            labels += pictures.map { _ in Int32(index) }
        }
        self.init(files, labels, classes, height, width, channels)
    }

    private init(
        _ paths: [String], _ labels: [Int32], _ classNames: [String], _ height: Int, _ width: Int,
        _ channels: ImageFile.Channels
    ) {
        (self.paths, self.labels, self.classNames) = (paths, labels, classNames)
        (self.height, self.width, self.channels) = (height, width, channels)
    }

    /// - Throws: what `ImageFile.read` does, naming the file.
    public func rows(_ indices: [Int]) throws(ApusError) -> Dataset {
        try checkIndices(indices)
        let inputs = try Tensor(
            dtype: .u8, shape: [indices.count, height, width, channels.rawValue]
        ) { bytes throws(ApusError) in
            var rest = bytes[...]
            for index in indices {
                let picture = try ImageFile.read(paths[index], channels: channels)
                let resized = try ImageFile.resize(picture, height: height, width: width)
                resized.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: rest).copyMemory(from: $0) }
                rest = rest.dropFirst(resized.byteCount)
            }
        }
        return try Dataset(inputs: inputs, targets: Tensor(indices.map { labels[$0] }), classNames: classNames)
    }

    public func targetRows(_ indices: [Int]) throws(ApusError) -> [NamedTensor] {
        try checkIndices(indices)
        return [NamedTensor("target", try Tensor(indices.map { labels[$0] }))]
    }

    public func numbered(by names: [String]) throws(ApusError) -> any SampleSource {
        guard !names.isEmpty, names != classNames else { return self }
        let tensor = try Tensor(labels)
        let renumbered = try Dataset(inputs: tensor, targets: tensor, classNames: classNames).renumbered(to: names)
        let numbers = try renumbered.targets[0].tensor.array(of: Int32.self)
        return ImageFolder(paths, numbers, names, height, width, channels)
    }

    private static func names(in folder: String) throws(ApusError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder)
                .filter { !$0.hasPrefix(".") }
                .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        } catch {
            throw ApusError(.ioError, "\(folder): cannot list the folder: \(error.localizedDescription)")
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    private static func isPicture(_ name: String) -> Bool {
        [".png", ".jpg", ".jpeg"].contains { name.lowercased().hasSuffix($0) }
    }
}

extension Dataset {
    /// The pictures of an `ImageFolder`, all in memory: inputs u8 [N, height, width, C], targets i32 [N].
    public static func imageFolder(
        _ path: String, height: Int, width: Int, channels: ImageFile.Channels = .rgb
    ) throws(ApusError) -> Dataset {
        let folder = try ImageFolder(path, height: height, width: width, channels: channels)
        return try folder.rows(Array(0..<folder.count))
    }
}
