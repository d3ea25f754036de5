import ApusGraph
import ApusRuntime

extension Trainer {
    /// The graph's function that a step runs: forward, loss, backward, update.
    public var stepFunction: Function { program.graph.functions[0] }

    /// What the steps so far took, launch by launch; empty unless the trainer was made with `profile`.
    public func profile() throws(ApusError) -> [ProfileEntry] {
        var entries: [ProfileEntry] = []
        for step in 0..<session.profileCount(function: 0) {
            entries.append(try session.profileEntry(function: 0, step: step))
        }
        return entries
    }

    /// The bytes of the session that steps run on: weights, optimizer slots, activations, gradients.
    public var sessionBytes: Int { session.memorySize }
}
