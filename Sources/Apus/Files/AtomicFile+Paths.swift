import Foundation

extension AtomicFile {
    /// The folder that a path names, "." where it names none, and what is named there.
    static func parts(of path: String) -> (folder: String, name: String) {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.utf8.index(after: slash)...]))
    }

    /// The path that `path` leads to by links, or nil where a link names what a process has open, as those in /proc do, or they
    /// go round.
    static func followed(_ path: String) -> String? {
        var path = path
        for _ in 0..<40 {
            guard let next = link(path) else { return path }
            let folder = parts(of: path).folder
            if realPath(folder)?.hasPrefix("/proc/") == true { return nil }
            path = next.hasPrefix("/") ? next : "\(folder)/\(next)"
        }
        return nil
    }

    private static func link(_ path: String) -> String? {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = bytes.withUnsafeMutableBytes { readlink(path, $0.baseAddress!, $0.count) }
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }

    private static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}
