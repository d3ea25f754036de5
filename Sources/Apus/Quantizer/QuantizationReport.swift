import ApusGraph
import ApusRuntime
import Foundation

/// What quantization cost, over the whole model and node by node, worst first.
public struct QuantizationReport: Encodable, Sendable {
    /// One node of the real graph that computes on integers.
    public struct Node: Encodable, Sendable {
        public let name: String
        public let operation: String
        /// Signal to quantization noise in dB at its output: with all nodes on integers, and what the codes of its weights and its
        /// output alone lose; nil of a node that only moves elements.
        public let accumulated: Double?
        public let isolated: Double?
        /// The share of its outputs outside the range that codes have.
        public let saturated: Double?
        /// Of its weights the greatest magnitude over the root of the mean square, the worst of the columns.
        public let outlierRatio: Double?
    }

    /// Something done to the real graph before it was quantized.
    public struct Step: Encodable, Sendable {
        public let name: String
        public let nodes: [String]
    }

    public let scheme: String
    public let method: String?
    public let calibrationSamples: Int
    public let steps: [Step]
    /// Nodes that stayed real on request or for accuracy.
    public let keptReal: [String]
    public internal(set) var nodes: [Node]
    /// Of samples whose first output has the same greatest element or, being one number, says the same of two classes; nil where
    /// nothing tells that it speaks of classes.
    public let topAgreement: Double?
    /// The mean over samples of KL(softmax real ‖ softmax quantized) of the first output, in nats, or likewise of two classes.
    public let divergence: Double?
    public let outputNoise: Double?
    /// Of files without golden pairs and this report.
    public let realBytes: Int
    public let quantizedBytes: Int
    /// Medians of a run on one thread of this machine, for one of the samples, where it was timed.
    public private(set) var realMicroseconds: Double?
    public private(set) var quantizedMicroseconds: Double?
    /// A metric on labelled samples, of the real and the quantized model.
    public var metric: String?
    public var realMetric: Double?
    public var quantizedMetric: Double?

    /// nil where it was not timed.
    public var isFaster: Bool? {
        guard let realMicroseconds, let quantizedMicroseconds else { return nil }
        return quantizedMicroseconds < realMicroseconds
    }

    /// Compares what `quantizer` made with its real graph on samples, of which isolated figures take a few. All but the times
    /// depend on nothing else. `classified`: the samples have classes, so that a first output of one number tells two apart.
    public init(
        _ quantizer: Quantizer, _ quantized: Graph, keepFloat: Set<String> = [], samples: [[Tensor]], classified: Bool = false,
        timed: Bool = true
    ) throws(ApusError) {
        let options = quantizer.options, real = quantizer.real
        scheme = options.scheme.rawValue
        method = options.scheme == .int8 ? options.method.rawValue : nil
        calibrationSamples = quantizer.calibration.sampleCount
        steps = quantizer.steps + (options.scheme == .int8 && options.correctsBias ? [Step(name: "correct bias", nodes: quantizer.correctedNodes)] : [])
        let kept = options.keepFloat.union(keepFloat)
        keptReal = kept.sorted()
        let single = BinaryScore(real.functions[0]) ?? (classified ? .logit : nil)
        var comparison = try NodeComparison(real, quantized, samples, single: single)
        for sample in samples { try comparison.add(sample) }
        let isolated = try quantizer.isolatedNoise(Array(samples.prefix(4)), except: kept)
        nodes = real.functions[0].nodes.enumerated().compactMap { place, node in
            guard let found = comparison.figures[node.name] else { return nil }
            return Node(
                name: node.name, operation: node.operation, accumulated: found.noise.decibels?.rounded(digits: 4),
                isolated: isolated[node.name]?.rounded(digits: 4), saturated: found.saturated?.rounded(digits: 4),
                outlierRatio: real.outlierRatio(node)?.rounded(digits: 4))
        }
        nodes.sort { ($0.isolated ?? .infinity, $0.accumulated ?? .infinity) < ($1.isolated ?? .infinity, $1.accumulated ?? .infinity) }
        (topAgreement, divergence, outputNoise) = comparison.outputs
        let shipped = try Export.optimize(try real.plain(function: 0))
        realBytes = try ModelWriter.bytes(shipped).count
        quantizedBytes = try ModelWriter.bytes(quantized).count
        guard timed else { return }
        let sample = samples[0]
        realMicroseconds = try shipped.medianMicroseconds(sample)
        quantizedMicroseconds = try quantized.medianMicroseconds(sample)
    }
}

extension Quantizer {
    /// Per node on integers that does not only move elements, in dB: signal to noise at its output when it alone is, against the
    /// real node of the same codes. So what the codes of an input lose counts where they were made.
    func isolatedNoise(_ samples: [[Tensor]], except: Set<String> = []) throws(ApusError) -> [String: Double] {
        guard options.scheme == .int8 else { return [:] }
        let names = Set(real.functions[0].nodes.map { $0.name }), codes = codes
        var whole = try IntegerTranslation(real, codes: codes, keepFloat: except)
        _ = try whole.run()
        var result: [String: Double] = [:]
        for node in real.functions[0].nodes where (node.op is RecurrentLayer || node.op is ApusGraph.Gather)
            && !except.contains(node.name)
        {
            var translation = try IntegerTranslation(real, codes: codes, keepFloat: names)
            var reference = try IntegerTranslation(real, codes: codes, keepFloat: names)
            let graph = try translation.run()
            guard try Quantizer.quantizeRest(of: graph, keepFloat: names.subtracting([node.name])) > 0 else { continue }
            result[node.name] = try noise(of: node.name, try reference.run(), graph, samples)
        }
        for node in real.functions[0].nodes where whole.integerNodes.contains(node.name) {
            guard whole.integerForm(node)?.keepsCodes == false else { continue }
            var translation = try IntegerTranslation(real, codes: codes, keepFloat: names.subtracting([node.name]))
            translation.isolated = node.name
            var reference = try IntegerTranslation(real, codes: codes, keepFloat: names)
            reference.readsCodes = node.name
            result[node.name] = try noise(of: node.name, try reference.run(), try translation.run(), samples)
        }
        return result
    }

    /// Signal to noise at a node's output, in dB.
    private func noise(
        of name: String, _ reference: Graph, _ graph: Graph, _ samples: [[Tensor]]
    ) throws(ApusError) -> Double? {
        var comparison = try NodeComparison(reference, graph, samples)
        for sample in samples { try comparison.add(sample) }
        return comparison.figures[name]?.noise.decibels
    }
}

extension Double {
    /// To so many significant digits.
    fileprivate func rounded(digits: Int) -> Double {
        guard self != 0, isFinite else { return self }
        let unit = pow(10, Double(digits) - 1 - floor(log10(abs(self))))
        return (self * unit).rounded() / unit
    }
}

extension Graph {
    fileprivate func outlierRatio(_ node: ApusGraph.Node) -> Double? {
        guard let product = Product(node), case .constant(let index) = product.weights,
            let values = try? constants[index].doubles()
        else { return nil }
        let columns = constants[index].type.shape.last
        guard columns > 0, values.count >= columns else { return nil }
        var most = [Double](repeating: 0, count: columns), square = most
        for (i, value) in values.enumerated() {
            most[i % columns] = max(most[i % columns], abs(value))
            square[i % columns] += value * value
        }
        let rows = Double(values.count / columns)
        return zip(most, square).map { $1 > 0 ? $0 / ($1 / rows).squareRoot() : 0 }.max()
    }

    /// A run of the first function, on one thread.
    fileprivate func medianMicroseconds(_ inputs: [Tensor]) throws(ApusError) -> Double {
        var sessionOptions = SessionOptions()
        let dimensions = self.dimensions(function: 0, of: inputs), isMeasured = measuredDimensions
        for (i, symbol) in self.dimensions.enumerated() where !isMeasured[i] {
            sessionOptions.dimensionLimits.append((symbol.name, dimensions[i]))
        }
        let session = try Session(try ApusRuntime.Model(self), sessionOptions)
        defer { session.destroy() }
        for (i, input) in inputs.enumerated() { try session.set(input: i, input) }
        var times: [Double] = []
        let began = DispatchTime.now().uptimeNanoseconds
        while times.count < 5 || (times.count < 200 && DispatchTime.now().uptimeNanoseconds - began < 300_000_000) {
            let start = DispatchTime.now().uptimeNanoseconds
            try session.run()
            times.append(Double(DispatchTime.now().uptimeNanoseconds - start) / 1000)
        }
        return times.sorted()[times.count / 2]
    }
}
