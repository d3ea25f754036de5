import ApusGraph
import Foundation

/// Shows how training goes, on the standard error: in a terminal a bar that moves, elsewhere a line now and then.
public final class ProgressBar: Callback {
    private let isQuiet: Bool
    private let isTerminal: Bool
    private let write: (String) -> Void
    private let now: () -> Double
    private let interval: Double
    private let columns: () -> Int

    private var epochs = 0
    private var batches = 0
    private var began = 0.0
    private var samplesBefore = 0
    private var lastBatch = 0.0
    private var lastShown = 0.0

    /// - Parameter quiet: shows nothing at all.
    public convenience init(quiet: Bool = false) {
        let isTerminal = isatty(STDERR_FILENO) != 0
        self.init(
            quiet: quiet, isTerminal: isTerminal, interval: isTerminal ? 0.1 : 5,
            columns: ProgressBar.terminalColumns, now: { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 },
            write: { FileHandle.standardError.write(Data($0.utf8)) })
    }

    /// - Parameter interval: seconds between two lines, or two states of the bar.
    init(
        quiet: Bool = false, isTerminal: Bool, interval: Double, columns: @escaping () -> Int,
        now: @escaping () -> Double, write: @escaping (String) -> Void
    ) {
        isQuiet = quiet
        self.isTerminal = isTerminal
        self.interval = interval
        self.columns = columns
        self.now = now
        self.write = write
    }

    public func trainingBegan(_ trainer: Trainer, epochs: Int) { self.epochs = epochs }

    public func epochBegan(_ trainer: Trainer, batches: Int) {
        self.batches = batches
        began = now()
        (lastBatch, lastShown) = (began, began)
        samplesBefore = trainer.running?.samplesSeen ?? 0
        if !isQuiet, isTerminal { write("Epoch \(trainer.progress.epoch + 1)/\(epochs)\n") }
    }

    public func batchEnded(_ trainer: Trainer, loss: Double, meanLoss: Double, metrics: [any Metric]) {
        guard !isQuiet, let running = trainer.running else { return }
        lastBatch = now()
        guard lastBatch - lastShown >= interval else { return }
        lastShown = lastBatch
        let rate = samplesPerSecond(running.samplesSeen)
        let rest = Double(running.sampleCount - running.samplesSeen) / rate
        var parts = [
            ProgressText.rate(rate), "ETA \(ProgressText.duration(rest))", "loss \(ProgressText.number(meanLoss))",
        ]
        for metric in metrics {
            parts.append("\(metric.name(outputs: trainer.network.outputNames)) \(ProgressText.number(metric.value))")
        }
        let text = parts.joined(separator: "  ")
        let done = trainer.progress.batch
        if isTerminal {
            // A line that wraps cannot be written over.
            write("\r\(bar(done, text).prefix(columns() - 1))\u{1B}[K")
        } else {
            let counter = ProgressText.counter(done, of: batches)
            write("epoch \(trainer.progress.epoch + 1)/\(epochs)  batch \(counter)  \(text)\n")
        }
    }

    public func epochEnded(_ trainer: Trainer, _ log: EpochLog) {
        guard !isQuiet else { return }
        var parts = [
            ProgressText.duration(log.seconds), ProgressText.rate(samplesPerSecond(trainer.lastEpochSamples)),
        ]
        for (name, value) in zip(log.names, log.values) { parts.append("\(name) \(ProgressText.number(value))") }
        let text = parts.joined(separator: "  ")
        write(isTerminal ? "\r\(bar(batches, text))\u{1B}[K\n" : "epoch \(log.epoch + 1)/\(epochs)  \(text)\n")
    }

    /// From the epoch's begin, or resume, to the last batch.
    private func samplesPerSecond(_ samplesSeen: Int) -> Double {
        Double(samplesSeen - samplesBefore) / max(lastBatch - began, 1e-9)
    }

    private func bar(_ done: Int, _ text: String) -> String {
        "\(ProgressText.counter(done, of: batches)) \(ProgressText.bar(done, of: batches)) \(text)"
    }

    private static func terminalColumns() -> Int {
        var size = winsize()
        return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 1 ? Int(size.ws_col) : 80
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
