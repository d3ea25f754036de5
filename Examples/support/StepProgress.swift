import Foundation

/// Shows how a loop over steps goes, on the standard error: in a terminal one line that changes, elsewhere a line now and then.
public struct StepProgress {
    private let steps: Int
    private let isQuiet: Bool
    private let isTerminal = isatty(STDERR_FILENO) != 0
    private let began = Date()
    private var shown = Date()

    public init(steps: Int, quiet: Bool = false) {
        self.steps = steps
        isQuiet = quiet
    }

    /// After `step` of the steps, the first being 1.
    public mutating func update(_ step: Int, loss: Double) {
        guard !isQuiet, Date().timeIntervalSince(shown) >= (isTerminal ? 0.2 : 10) else { return }
        shown = Date()
        let rate = Double(step) / shown.timeIntervalSince(began), rest = Int(Double(steps - step) / rate)
        let line = String(
            format: "step %d/%d  %.1f steps/s  ETA %d:%02d  loss %.4f", step, steps, rate, rest / 60, rest % 60, loss)
        write(isTerminal ? "\r\(line)\u{1B}[K" : "\(line)\n")
    }

    /// Makes room for a result on the standard output.
    public func clear() {
        if !isQuiet, isTerminal { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
