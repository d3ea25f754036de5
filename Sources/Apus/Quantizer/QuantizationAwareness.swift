import ApusGraph

/// How the ranges of activations are found in quantization-aware training.
public enum RangeRule: Sendable, Equatable {
    /// A moving average of each batch's least and greatest element (Jacob et al. 2018).
    case movingAverage(momentum: Float = 0.99)
    /// That for so many epochs, then trained with the weights: a learned step size (Esser et al. 2020), both ends free.
    case learned(afterEpoch: Int = 1)
}

/// What a network knows of its quantization-aware training.
public struct QuantizationAwareness: Sendable {
    public let ranges: RangeRule
    /// Nodes that stay real.
    public let except: Set<String>
    /// Epochs after which ranges, and the moving statistics of batch norms, stay as they are.
    public internal(set) var observerEpochs: Int?
    public internal(set) var batchNormEpochs: Int?
    let places: IntegerPlaces

    /// What differs from epoch to epoch in a training step.
    struct Stage: Equatable {
        var observes = false, learns = false, fixesBatchNorm = false
    }

    func stage(epoch: Int) -> Stage {
        let isFrozen = observerEpochs.map { epoch >= $0 } ?? false
        var stage = Stage(observes: !isFrozen, fixesBatchNorm: batchNormEpochs.map { epoch >= $0 } ?? false)
        if case .learned(let begin) = ranges, epoch >= begin { (stage.observes, stage.learns) = (false, !isFrozen) }
        return stage
    }

    var momentum: Float {
        if case .movingAverage(let momentum) = ranges { momentum } else { 0.99 }
    }

    /// What the values of a node are called as places.
    static func place(_ node: String, output: Int) -> String { output == 0 ? node : "\(node)/output_\(output)" }

    /// The name of the parameter that holds the low and the high end of a place's range.
    static func range(_ place: String) -> String { "\(place)/range" }
}

extension Network {
    /// From now on the network is trained as its int8 form will compute, by the ordinary `Trainer`: weights and activations are
    /// rounded to what codes can be, at the places where `convert-model --quantize int8` would, and gradients pass straight
    /// through. `predict`, `evaluate` and `export` then use the integer graph itself, with ranges that training found; no
    /// calibration follows. Weights stay as they are, so a trained network is fine-tuned.
    ///
    ///     try network.quantizationAware(.int8, except: ["logits"])
    ///     try network.freezeObservers(afterEpoch: 3)
    ///
    /// - Parameters:
    ///   - except: layers that stay real.
    ///   - ranges: how those of activations are found.
    /// - Throws: `.unsupported` for another scheme than int8; `.invalidArgument` for a layer that there is not.
    public func quantizationAware(
        _ scheme: QuantizationScheme = .int8, except: Set<String> = [], ranges: RangeRule = .movingAverage()
    ) throws(ApusError) {
        guard scheme == .int8 else { throw .unsupported("quantization-aware training for \(scheme.rawValue), wanted int8") }
        let isTrained: Bool
        switch ranges {
        case .movingAverage(let momentum):
            isTrained = false
            guard momentum >= 0 && momentum < 1 else { throw .argument("a momentum of \(momentum), wanted 0 ..< 1") }
        case .learned(let epoch):
            isTrained = true
            guard epoch >= 1 else { throw .argument("ranges learned after \(epoch) epochs, wanted 1 or more") }
        }
        let places = try IntegerPlaces(self, keepFloat: except)
        for place in places.values {
            _ = try parameters.index(QuantizationAwareness.range(place), [2], Filled(0), trainable: isTrained)
        }
        quantization = QuantizationAwareness(ranges: ranges, except: except, places: places)
    }

    /// Ranges stay as they are when so many epochs are done.
    public func freezeObservers(afterEpoch epochs: Int) throws(ApusError) {
        guard quantization != nil else { throw .argument("observers of a network that is not quantization-aware") }
        quantization?.observerEpochs = epochs
    }

    /// Batch norms use their moving statistics, and leave them, when so many epochs are done.
    public func freezeBatchNorm(afterEpoch epochs: Int) throws(ApusError) {
        guard quantization != nil else { throw .argument("batch norm of a network that is not quantization-aware") }
        quantization?.batchNormEpochs = epochs
    }
}

extension QuantizationAwareness {
    /// Throws where no range was ever found, or one is not finite.
    func requireRanges(_ parameters: Parameters) throws(ApusError) {
        var wasSeen = places.values.isEmpty
        for place in places.values {
            let ends = try ends(place, parameters)
            guard ends.allSatisfy({ $0.isFinite }) else {
                throw .argument("the range of '\(place)' is \(ends[0]) ... \(ends[1]), wanted finite ends")
            }
            wasSeen = wasSeen || ends != [0, 0]
        }
        guard wasSeen else {
            throw .argument("a quantization-aware network without ranges: train it first, for an epoch or more before observers are frozen")
        }
    }

    private func ends(_ place: String, _ parameters: Parameters) throws(ApusError) -> [Float] {
        try parameters[QuantizationAwareness.range(place)]?.array(of: Float.self) ?? [0, 0]
    }

    /// The integer graph of a network's inference graph, with the ranges its parameters hold.
    func integerGraph(
        _ graph: Graph, _ parameters: Parameters, _ options: ExportOptions
    ) throws(ApusError) -> Graph {
        var codes: [CodeScale?] = []
        for place in places.places {
            guard let place else {
                codes.append(nil)
                continue
            }
            let ends = try ends(place, parameters)
            codes.append(CodeScale(low: Double(ends[0]), high: Double(ends[1])))
        }
        var translation = try IntegerTranslation(
            try Quantizer.prepared(graph, keepsLayout: true), codes: codes, keepFloat: except)
        let integers = try translation.run()
        _ = try Quantizer.quantizeRest(of: integers, keepFloat: except)
        return try Export.optimize(integers, options)
    }
}
