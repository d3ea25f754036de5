import ApusGraph
import ArgumentParser
import Foundation

/// The files that a command writes.
public struct WrittenFiles {
    private let files: [(option: String, path: String)]

    /// - Throws: `ValidationError` where one is among the files that the command reads, or two are the same.
    public init(_ files: [(option: String, path: String?)], reading read: [String]) throws {
        self.files = files.compactMap { file in file.path.map { (file.option, $0) } }
        for (i, file) in self.files.enumerated() {
            let identity = FileIdentity(file.path)
            if let input = read.first(where: { identity.isSame(as: FileIdentity($0)) }) {
                throw ValidationError("\(file.option) \(file.path), wanted another file than the input \(input)")
            }
            if let other = self.files[..<i].first(where: { identity.isSame(as: FileIdentity($0.path)) }) {
                throw ValidationError("\(file.option) \(file.path), wanted another file than that of \(other.option)")
            }
        }
    }

    /// Throws where the folder of one is not there, so that no work is done for nothing.
    public func requireFolders() throws(ApusError) {
        for file in files {
            let folder = URL(fileURLWithPath: file.path).deletingLastPathComponent().path
            guard FileIdentity(folder).exists else {
                throw ApusError(.ioError, "\(file.path): \(String(cString: strerror(ENOENT)))")
            }
        }
    }

    /// What `body` does, which writes them. If it throws, those that were not there before are removed.
    public func written<R>(_ body: () throws -> R) throws -> R {
        let new = files.filter { !FileIdentity($0.path).exists }
        do { return try body() } catch {
            for file in new { unlink(file.path) }
            throw error
        }
    }
}

/// Which file a path or a descriptor leads to.
public struct FileIdentity: Sendable {
    private let path: String?
    private let device: dev_t
    private let number: ino_t
    public let isRegular: Bool
    public let exists: Bool

    public init(_ path: String) {
        var status = stat()
        self.init(exists: stat(path, &status) == 0, status, path: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
    }

    public static let standardOutput: FileIdentity = {
        var status = stat()
        return FileIdentity(exists: fstat(STDOUT_FILENO, &status) == 0, status, path: nil)
    }()

    private init(exists: Bool, _ status: stat, path: String?) {
        self.exists = exists
        self.path = path
        (device, number) = (status.st_dev, status.st_ino)
        isRegular = status.st_mode & S_IFMT == S_IFREG
    }

    /// Whether what is written to one is read from the other. Devices keep nothing, and neither do pipes.
    public func isSame(as other: FileIdentity) -> Bool {
        guard exists, other.exists else { return !exists && !other.exists && path == other.path }
        return isRegular && isEntry(other)
    }

    /// Whether both are one entry of a file system.
    public func isEntry(_ other: FileIdentity) -> Bool {
        exists && other.exists && device == other.device && number == other.number
    }
}
