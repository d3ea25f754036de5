import Apus
import ApusGraph
import ArgumentParser
import ToolSupport

extension TrainingDescription {
    /// The model and the data, which have no default.
    ///
    /// - Throws: `ValidationError` where one is missing, or for a value that is wrong whatever the data are.
    func validated() throws -> (model: String, data: String) {
        guard let data else { throw ValidationError("Missing expected option '--data <data>'") }
        guard let model else { throw ValidationError("Missing expected option '--model <model>'") }
        try OptionNeed.check(needs)
        try asUsage { try TrainingSetup.checkName(ofNetwork: model) }
        try asUsage { try TrainingSetup.activation(activation) }
        try asUsage { try TrainingSetup.optimizer(self, steps: 1) }
        try asUsage { try TrainingSetup.augmentation(augment) }
        let losses = ["cross-entropy", "mse", "mae", "huber"]
        if let loss, !losses.contains(loss) {
            throw ValidationError("no loss '\(loss)', wanted cross-entropy, mse, mae or huber")
        }
        if let classWeights, classWeights != "balanced" {
            throw ValidationError("--class-weights '\(classWeights)', wanted balanced")
        }
        for (name, value, least, most) in [
            ("epochs", epochs, 1, Int.max), ("batch-size", batchSize, 1, Shape.maximumExtent),
            ("accumulate", accumulate, 1, 1 << 20),
            ("learn-ranges", learnRanges, 1, Int.max), ("freeze-observers", freezeObservers, 0, Int.max),
            ("freeze-batch-norm", freezeBatchNorm, 0, Int.max),
        ] {
            guard let value, !(least...most).contains(value) else { continue }
            let range = most == Int.max ? "\(least) or more" : "\(least) ... \(most)"
            throw ValidationError("--\(name) \(value), wanted \(range)")
        }
        if let average, !(average >= 0 && average < 1) { throw ValidationError("--average \(average), wanted 0 ..< 1") }
        try threads.map(ThreadsOption.check)
        return (model, data)
    }

    private var needs: [(name: String, isGiven: Bool, need: OptionNeed)] {
        let optimizer = optimizer ?? "adam", awareness = OptionNeed("'--quantization-aware'", quantizationAware == true)
        return [
            ("--momentum", momentum != nil, OptionNeed("'--optimizer sgd' or 'rmsprop'", ["sgd", "rmsprop"].contains(optimizer))),
            ("--weight-decay", weightDecay != nil, OptionNeed("'--optimizer adamw'", optimizer == "adamw")),
            ("--activation", activation != nil, OptionNeed("'--model mlp:UNITS,…'", model.map { Setting($0).name } == "mlp")),
            ("--keep-float", keepFloat != nil, awareness), ("--learn-ranges", learnRanges != nil, awareness),
            ("--freeze-observers", freezeObservers != nil, awareness),
            ("--freeze-batch-norm", freezeBatchNorm != nil, awareness),
        ]
    }
}
