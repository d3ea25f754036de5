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
        [try context.dropped(try onlyInput(inputs), rate: rate)]
    }
}

extension LayerContext {
    /// In training x with elements dropped at random; else x.
    func dropped(_ x: Value, rate: Double) throws(ApusError) -> Value {
        guard rate >= 0 && rate < 1 else { throw .argument("rate \(rate), wanted 0 ..< 1") }
        guard phase == .training, rate > 0, let counter else { return x }
        let source = RandomSource(seed: seed, stream: stream())
        return try self(ApusGraph.Dropout(rate: Float(rate), source: source), x, counter)
    }
}
