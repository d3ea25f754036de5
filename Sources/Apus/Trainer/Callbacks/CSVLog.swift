import ApusGraph
import Foundation

/// One line per epoch in a CSV file: epoch from 1, what it measured, the learning rate after it, seconds.
///
/// Training that resumes keeps the lines of the epochs it has behind it, and drops those that it is to repeat.
public final class CSVLog: Callback {
    public let path: String
    private var header = ""

    public init(_ path: String) { self.path = path }

    public func trainingBegan(_ trainer: Trainer, epochs: Int) throws(ApusError) {
        header = ""
        guard trainer.progress.epoch > 0, let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            return try AtomicFile.write([], to: path)
        }
        // A line that a dying process did not finish has no end.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
        header = lines.first ?? ""
        let kept = lines.dropFirst().filter { line in
            line.split(separator: ",").first.flatMap { Int($0) }.map { $0 <= trainer.progress.epoch } ?? false
        }
        let whole = header.isEmpty ? "" : ([header] + kept).map { $0 + "\n" }.joined()
        try AtomicFile.write(Array(whole.utf8), to: path)
    }

    public func epochEnded(_ trainer: Trainer, _ log: EpochLog) throws(ApusError) {
        let columns = (["epoch"] + log.names + ["learning_rate", "seconds"]).joined(separator: ",")
        guard header.isEmpty || header == columns else {
            throw .argument("\(path): columns \(header), wanted \(columns)")
        }
        let cells = ["\(log.epoch + 1)"] + log.values.map { "\($0)" } + ["\(trainer.learningRate)"]
            + [String(format: "%.3f", log.seconds)]
        try append((header.isEmpty ? columns + "\n" : "") + cells.joined(separator: ",") + "\n")
        header = columns
    }

    private func append(_ text: String) throws(ApusError) {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        defer { if descriptor >= 0 { close(descriptor) } }
        let bytes = Array(text.utf8)
        guard descriptor >= 0, write(descriptor, bytes, bytes.count) == bytes.count else {
            throw ApusError(.ioError, "\(path): \(String(cString: strerror(errno)))")
        }
    }
}
