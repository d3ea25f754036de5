import Apus
import ApusGraph
import ArgumentParser

/// What quantization-aware training takes.
struct AwarenessOptions: ParsableArguments {
    @Flag(help: "Train as the int8 form computes; what is exported then computes on integers, without calibration.")
    var quantizationAware = false

    @Option(help: ArgumentHelp("With --quantization-aware: a layer that stays real; may be repeated.", valueName: "layer"))
    var keepFloat: [String] = []

    @Option(help: ArgumentHelp("With it: train the ranges of activations too, after so many epochs.", valueName: "epochs"))
    var learnRanges: Int?

    @Option(help: ArgumentHelp("With it: ranges stay as they are after so many epochs.", valueName: "epochs"))
    var freezeObservers: Int?

    @Option(help: ArgumentHelp("With it: the moving statistics of batch norms stay after so many epochs.", valueName: "epochs"))
    var freezeBatchNorm: Int?
}

extension TrainingDescription {
    /// Makes a network quantization-aware where this says so.
    func prepare(_ network: Network) throws(ApusError) {
        guard quantizationAware == true else { return }
        try network.quantizationAware(
            .int8, except: Set(keepFloat ?? []), ranges: learnRanges.map { .learned(afterEpoch: $0) } ?? .movingAverage())
        if let freezeObservers { try network.freezeObservers(afterEpoch: freezeObservers) }
        if let freezeBatchNorm { try network.freezeBatchNorm(afterEpoch: freezeBatchNorm) }
    }
}
