import ApusGraph
import Foundation

/// Shows how training goes, on the standard error: in a terminal a bar that moves, elsewhere a line now and then.
public final class ProgressBar: Callback {
    private let isQuiet: Bool
    private let isTerminal: Bool
    private let write: (String) -> Void
    private let now: () -> Double
    private let interval: Double

    private var epochs = 0
    private var batches = 0
    private var began = 0.0
    private var samplesBefore = 0
    private var lastShown = 0.0

    /// - Parameter quiet: shows nothing at all.
    public convenience init(quiet: Bool = false) {
        let isTerminal = isatty(STDERR_FILENO) != 0
        self.init(
            quiet: quiet, isTerminal: isTerminal, interval: isTerminal ? 0.1 : 5,
            now: { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 },
            write: { FileHandle.standardError.write(Data($0.utf8)) })
    }

    /// - Parameter interval: seconds between two lines, or two states of the bar.
    init(
        quiet: Bool = false, isTerminal: Bool, interval: Double, now: @escaping () -> Double,
        write: @escaping (String) -> Void
    ) {
        isQuiet = quiet
        self.isTerminal = isTerminal
        self.interval = interval
        self.now = now
        self.write = write
    }

    public func trainingBegan(_ trainer: Trainer, epochs: Int) { self.epochs = epochs }

    public func epochBegan(_ trainer: Trainer, batches: Int) {
        self.batches = batches
        began = now()
        lastShown = began
        samplesBefore = trainer.running?.samplesSeen ?? 0
        if !isQuiet, isTerminal { write("Epoch \(trainer.progress.epoch + 1)/\(epochs)\n") }
    }

    public func batchEnded(_ trainer: Trainer, loss: Double, meanLoss: Double, metrics: [any Metric]) {
        guard !isQuiet else { return }
        let time = now()
        guard time - lastShown >= interval else { return }
        lastShown = time
        let done = trainer.progress.batch
        let seen = trainer.running.map { $0.samplesSeen } ?? 0
        let rate = Double(seen - samplesBefore) / max(time - began, 1e-9)
        let rest = trainer.running.map { Double($0.sampleCount - seen) / max(rate, 1e-9) } ?? 0
        var parts = [ProgressText.rate(rate), "ETA \(ProgressText.duration(rest))", "loss \(ProgressText.number(meanLoss))"]
        for metric in metrics { parts.append("\(metric.name) \(ProgressText.number(metric.value))") }
        if isTerminal {
            write("\r\(ProgressText.counter(done, of: batches)) \(ProgressText.bar(done, of: batches)) "
                + parts.joined(separator: "  ") + "\u{1B}[K")
        } else {
            write("epoch \(trainer.progress.epoch + 1)/\(epochs)  batch \(ProgressText.counter(done, of: batches))  "
                + parts.joined(separator: "  ") + "\n")
        }
    }

    public func epochEnded(_ trainer: Trainer, _ log: EpochLog) {
        guard !isQuiet else { return }
        let seen = trainer.lastEpochSamples - samplesBefore
        var parts = [ProgressText.duration(log.seconds), ProgressText.rate(Double(seen) / max(now() - began, 1e-9))]
        for (name, value) in zip(log.names, log.values) { parts.append("\(name) \(ProgressText.number(value))") }
        let text = parts.joined(separator: "  ")
        write(isTerminal
            ? "\r\(ProgressText.counter(batches, of: batches)) \(ProgressText.bar(batches, of: batches)) \(text)\u{1B}[K\n"
            : "epoch \(log.epoch + 1)/\(epochs)  \(text)\n")
    }
}

/// The pieces of a progress line.
enum ProgressText {
    /// "  7/250": as wide for every batch.
    static func counter(_ done: Int, of total: Int) -> String {
        let digits = "\(done)", width = "\(total)".count
        return String(repeating: " ", count: max(0, width - digits.count)) + "\(digits)/\(total)"
    }

    static func bar(_ done: Int, of total: Int, width: Int = 30) -> String {
        let filled = total == 0 ? width : min(width, width * done / total)
        let tip = filled < width ? ">" : ""
        return "[" + String(repeating: "=", count: filled) + tip
            + String(repeating: ".", count: width - filled - tip.count) + "]"
    }

    static func rate(_ samplesPerSecond: Double) -> String {
        samplesPerSecond >= 1000
            ? String(format: "%.1fk samples/s", samplesPerSecond / 1000)
            : String(format: "%.0f samples/s", samplesPerSecond)
    }

    /// "0.8s", "12s", "3:07", "1:02:03".
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e9 else { return "?" }
        if seconds < 10 { return String(format: "%.1fs", max(0, seconds)) }
        let whole = Int(seconds.rounded())
        if whole < 60 { return "\(whole)s" }
        return whole < 3600
            ? String(format: "%d:%02d", whole / 60, whole % 60)
            : String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
    }

    static func number(_ value: Double) -> String {
        let magnitude = abs(value)
        return magnitude != 0 && (magnitude < 1e-3 || magnitude >= 1e5)
            ? String(format: "%.3e", value) : String(format: "%.4f", value)
    }
}
