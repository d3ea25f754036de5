import CKernels
import CModelFormat

/// y = x / (1 − rate) where a random number in [0, 1) is `rate` or more, else 0. Srivastava et al. 2014. ONNX: Dropout
/// in training.
///
/// Inputs: x, f32 or f64; counter, an i64 scalar. Output: y, shaped like x. The mask is a function of seed, stream,
/// counter and element; an inference graph has no Dropout.
public final class Dropout: Operator {
    public let rate: Float
    public let source: RandomSource

    public init(rate: Float, source: RandomSource) {
        self.rate = rate
        self.source = source
    }

    // MARK: Wire

    public static let entry = OperatorEntry("Dropout", APUS__NODE__OPERATOR_DROPOUT) { node throws(ApusError) in
        let m = node.dropout.pointee
        return Dropout(rate: m.rate, source: RandomSource(seed: m.seed, stream: m.stream))
    }
    public override var entry: OperatorEntry { Dropout.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.dropout = wire.message(apus__dropout__init) {
            $0.rate = rate
            $0.seed = source.seed
            $0.stream = source.stream
        }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }
    public override func mayOverwrite(input: Int, output: Int) -> Bool { input == 0 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        guard rate >= 0 && rate <= 1 else { throw .shape("a rate outside 0 ... 1") }
        try inputs[0].require("x", float: true)
        try RandomSource.requireCount(inputs[0].shape)
        try RandomSource.requireCounter(inputs[1])
        return [inputs[0]]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape
        var params = source.params(x, rate: rate)
        return try KernelPlan(
            ck_dropout(site.dtype, site.isa), params, units: ck_random_units(&params), at: site,
            operations: 20 * x.count)
    }

    // MARK: Gradient

    /// The same mask and factor on dy.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try g(Dropout(rate: rate, source: source), try g.dy(), g.inputs[1]), nil]
    }
}
