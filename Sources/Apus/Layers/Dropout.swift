import ApusGraph

/// In training each element is 0 with probability `rate`, else x / (1 − rate); in inference x
/// (Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014).
public final class Dropout: Layer {
    public let rate: Double

    public init(_ rate: Double, name: String = "") {
        self.rate = rate
        super.init(name: name)
    }

    public override var runsStepByStep: Bool { true }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try onlyInput(inputs)
        guard rate >= 0 && rate < 1 else { throw .argument("rate \(rate), wanted 0 ..< 1") }
        guard context.phase == .training, rate > 0, let counter = context.counter else { return [x] }
        let source = RandomSource(seed: context.seed, stream: context.stream())
        return [try context(ApusGraph.Dropout(rate: Float(rate), source: source), x, counter)]
    }
}
