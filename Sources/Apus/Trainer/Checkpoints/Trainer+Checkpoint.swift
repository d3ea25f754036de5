import ApusGraph
import ApusRuntime
import Foundation

extension Trainer {
    /// Writes everything that the rest of training depends on as one .apus file: the training graph with the value of
    /// every state, and where training stands. The file is there whole or not at all.
    public func saveCheckpoint(_ path: String) throws(ApusError) {
        let graph = program.checkpointGraph()
        for (index, state) in program.graph.states.enumerated() {
            let value = Constant(state.name, state.type, Storage(UnsafeRawBufferPointer(session.state(index))))
            graph.states[index] = State(state.name, state.type, state.role, initial: value)
        }
        let callbacks = try activeCallbacks.isEmpty
            ? restoredCallbacks ?? [] : CheckpointedCallback.states(of: activeCallbacks)
        var entries: [Checkpoint.CallbackEntry] = []
        for callback in callbacks {
            let names = callback.state.tensors.indices.map { "callback/\(callback.name)/\($0)" }
            for (name, tensor) in zip(names, callback.state.tensors) { graph.constants.append(tensor.constant(name)) }
            entries.append(Checkpoint.CallbackEntry(name: callback.name, json: callback.state.json, tensors: names))
        }
        let running = try self.running.map { running throws(ApusError) in try Checkpoint.Running(running) }
        let checkpoint = Checkpoint(
            progress: progress, learningRateScale: learningRateScale, learningRateOverride: learningRateOverride,
            stopReason: stopReason, seed: seed, batchSize: batchSize, precision: precision,
            gradientAccumulation: gradientAccumulation == 1 ? nil : gradientAccumulation,
            weightAverage: weightAverage?.decay, optimizer: optimizerText, losses: losses.map { $0.name },
            lossWeights: lossWeights, running: running, callbacks: entries)
        graph.metadata = [(Checkpoint.metadataKey, try CheckpointText.encode(checkpoint))]
        try ModelWriter.write(graph, to: path)
    }

    /// Continues where the checkpoint was written; `fit` then takes the callbacks' states from it too.
    ///
    /// - Throws: `.badFile` for a damaged file or one that is no checkpoint, `.invalidArgument` for the checkpoint of
    ///   another network, optimizer, loss, batch size, precision or seed, which it names. Then the trainer is as it was.
    public func restore(_ path: String) throws(ApusError) {
        let model = try ApusRuntime.Model(path: path)
        let hash = try WeightsHash(path)
        guard hash.matches else {
            throw .file("\(path): weights of SHA-256 \(hash.found), wanted \(hash.stored)")
        }
        do throws(ApusError) { try restore(model.graph) } catch { throw error.within("\(path)") }
    }

    /// Restores the checkpoint if there is a file of this name; says whether there was.
    @discardableResult
    public func restore(ifPresent path: String) throws(ApusError) -> Bool {
        guard FileManager.default.fileExists(atPath: path) else { return false }
        try restore(path)
        return true
    }

    private func restore(_ found: Graph) throws(ApusError) {
        guard let text = found.metadata.first(where: { $0.key == Checkpoint.metadataKey })?.value else {
            throw .file("a model without a checkpoint, wanted a file that saveCheckpoint wrote")
        }
        let checkpoint = try CheckpointText.decode(Checkpoint.self, text)
        let before = program.weighsSamples
        let weighsSamples = found.functions.first?.inputs.last?.name == TrainingProgram.sampleWeights
        do throws(ApusError) {
            try plan(epoch: max(0, checkpoint.progress.epoch), weighsSamples: weighsSamples)
            try check(checkpoint, found)
        } catch {
            try plan(epoch: progress.epoch, weighsSamples: before)
            throw error
        }
        let running = try checkpoint.running.map { running throws(ApusError) in try running.restored(metrics) }
        var callbacks: [CheckpointedCallback] = []
        for entry in checkpoint.callbacks {
            var tensors: [Tensor] = []
            for name in entry.tensors { tensors.append(try Trainer.constant(name, found)) }
            callbacks.append(
                CheckpointedCallback(name: entry.name, state: CallbackState(json: entry.json, tensors: tensors)))
        }
        for (index, state) in found.states.enumerated() {
            if let initial = state.initial { session.state(index).copyMemory(from: initial.bytes) }
        }
        progress = checkpoint.progress
        learningRateScale = checkpoint.learningRateScale
        learningRateOverride = checkpoint.learningRateOverride
        stopReason = checkpoint.stopReason
        self.running = running
        restoredCallbacks = callbacks
        try updateNetwork()
    }

    private func check(_ checkpoint: Checkpoint, _ found: Graph) throws(ApusError) {
        func require(_ what: String, _ found: String, _ wanted: String) throws(ApusError) {
            guard found == wanted else { throw .argument("checkpoint of \(what) \(found), wanted \(wanted)") }
        }
        func list(_ names: [String], _ weights: [Double]) -> String {
            zip(names, weights).map { $1 == 1 ? $0 : "\($1)·\($0)" }.joined(separator: ", ")
        }
        try require("version", "\(checkpoint.version)", "\(Checkpoint.currentVersion)")
        if let difference = GraphDifference.parameters(found, wanted: program.graph) {
            throw .argument("checkpoint of another network: \(difference)")
        }
        try require("optimizer", checkpoint.optimizer, optimizerText)
        try require("loss", list(checkpoint.losses, checkpoint.lossWeights), list(losses.map { $0.name }, lossWeights))
        try require("batch size", "\(checkpoint.batchSize)", "\(batchSize)")
        if let found = checkpoint.precision { try require("precision", found.rawValue, precision.rawValue) }
        try require("gradient accumulation", "\(checkpoint.gradientAccumulation ?? 1)", "\(gradientAccumulation)")
        try require(
            "weights averaged by", checkpoint.weightAverage?.description ?? "nothing", weightAverage?.decay.description ?? "nothing")
        try require("seed", "\(checkpoint.seed)", "\(seed)")
        if let difference = GraphDifference.first(found, wanted: program.checkpointGraph()) {
            throw .argument("checkpoint of another training graph: \(difference)")
        }
        guard found.states.allSatisfy({ $0.initial != nil }) else { throw .file("checkpoint with states left out") }
        let progress = checkpoint.progress
        guard progress.epoch >= 0, progress.batch >= 0, progress.step >= 0 else {
            throw .file("checkpoint at epoch \(progress.epoch), batch \(progress.batch), step \(progress.step)")
        }
    }

    /// The optimizer with every setting, as its declaration would write it.
    private var optimizerText: String { String(describing: optimizer).replacingOccurrences(of: "Apus.", with: "") }

    private static func constant(_ name: String, _ graph: Graph) throws(ApusError) -> Tensor {
        guard let constant = graph.constants.first(where: { $0.name == name }) else {
            throw .file("checkpoint without the tensor '\(name)'")
        }
        return try Tensor(copying: constant.bytes, dtype: constant.type.dtype, shape: constant.type.shape.dimensions)
    }
}
