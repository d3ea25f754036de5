import Foundation

extension AtomicFile {
    /// Removes the temporary files that writers of `path` left when they were killed. Those of living processes stay.
    static func removeLeftovers(of path: String) {
        let (folder, file) = parts(of: path), prefix = file + "."
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        where name.hasPrefix(prefix) && name.hasSuffix(".tmp") {
            guard let process = pid_t(name.dropFirst(prefix.count).prefix { $0 != "." }), process != getpid(),
                kill(process, 0) != 0, errno == ESRCH
            else { continue }
            unlink("\(folder)/\(name)")
        }
    }
}
