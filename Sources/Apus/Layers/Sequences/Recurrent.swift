import ApusGraph

/// What SimpleRNN, GRU and LSTM share: a cell that goes over sequences [batch, time, channels].
///
/// Inputs: x; then, where there are any, the lengths of the sequences, integers [batch]; then the first states, each
/// [batch, units], zeros where none are given. Without lengths, those of a masked Embedding before it count. From a length on
/// the output is 0 and the state stays.
///
/// Outputs: y [batch, time, units] if `returnSequences`, else the last state h; then, if `returnState`, every last state: h, and
/// of LSTM c. Parameters, G the number of gates: kernel [channels, G·units], recurrent_kernel [G, units, units], bias [G·units].
///
/// It runs step by step unless it goes backwards: the states are remembered. So they are in training by windows
/// (`Trainer.window`), where no first states are given.
public class Recurrent: Layer {
    public let units: Int
    public let usesBias: Bool
    public let returnSequences: Bool
    public let returnState: Bool
    /// From the last step to the first; y is in that order too.
    public let goBackwards: Bool
    /// The rate at which channels of x are dropped in training, the same ones at every step.
    public let dropout: Double
    /// The rate at which elements of h are dropped in training where it is multiplied with recurrent_kernel, the same ones at
    /// every step.
    public let recurrentDropout: Double
    let kernelInitializer: any Initializer
    let recurrentInitializer: any Initializer
    let biasInitializer: any Initializer
    let kernelRegularizer: (any Regularizer)?
    let recurrentRegularizer: (any Regularizer)?

    init(
        _ units: Int, usesBias: Bool, returnSequences: Bool, returnState: Bool, goBackwards: Bool, dropout: Double,
        recurrentDropout: Double, kernelInitializer: any Initializer, recurrentInitializer: any Initializer,
        biasInitializer: any Initializer, kernelRegularizer: (any Regularizer)?, recurrentRegularizer: (any Regularizer)?,
        name: String
    ) {
        self.units = units
        self.usesBias = usesBias
        self.returnSequences = returnSequences
        self.returnState = returnState
        self.goBackwards = goBackwards
        self.dropout = dropout
        self.recurrentDropout = recurrentDropout
        self.kernelInitializer = kernelInitializer
        self.recurrentInitializer = recurrentInitializer
        self.biasInitializer = biasInitializer
        self.kernelRegularizer = kernelRegularizer
        self.recurrentRegularizer = recurrentRegularizer
        super.init(name: name)
    }

    // What the cells differ in.

    var gates: Int { 1 }
    var stateNames: [String] { ["h"] }
    func operation(
        reverse: Bool, hasLengths: Bool, hasInitialState: Bool, keepsGates: Bool, hasStateMask: Bool
    ) throws(ApusError) -> RecurrentLayer {
        throw .unsupported("a recurrent layer without an operation")
    }
    /// What the operator takes beside x and R.
    func extraParameters(_ prefix: String, _ context: LayerContext) throws(ApusError) -> [Value] { [] }

    public override var outputCount: Int { returnState ? 1 + stateNames.count : 1 }
    public override var runsStepByStep: Bool { !goBackwards }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let arguments = try Arguments(inputs, context, stateCount: stateNames.count)
        let (y, states) = try emit(arguments, arguments.states, reverse: goBackwards, context)
        guard returnSequences else { return [states[0]] + (returnState ? states : []) }
        var output = y
        if goBackwards {
            let time = y.shape[1]
            output = try context(Slice(axes: [1], starts: [-1], ends: [-1 - time], steps: [-1]), y)
        } else if let lengths = arguments.lengths {
            context.setLengths(of: y, lengths)
        }
        return [output] + (returnState ? states : [])
    }

    /// What is given to a layer of one direction or two.
    struct Arguments {
        let x: Value
        let lengths: Value?
        let states: [Value]

        init(_ inputs: [Value], _ context: LayerContext, stateCount: Int) throws(ApusError) {
            guard let x = inputs.first, x.shape.rank == 3 else {
                throw .shape("x \(inputs.first.map { $0.type.description } ?? "missing"), wanted [batch, time, channels]")
            }
            self.x = x
            var rest = inputs.dropFirst()
            var lengths = context.lengths(of: x)
            if let first = rest.first, first.type.dtype.isInteger {
                lengths = first
                rest = rest.dropFirst()
            }
            guard rest.isEmpty || rest.count == stateCount else {
                throw .argument("\(rest.count) first states, wanted none or \(stateCount)")
            }
            self.lengths = lengths
            states = Array(rest)
        }
    }

    /// One direction, its parameters' names after `prefix`: y in the order of x, and the last states.
    func emit(
        _ arguments: Arguments, _ firstStates: [Value], reverse: Bool, prefix: String = "", _ context: LayerContext
    ) throws(ApusError) -> (y: Value, states: [Value]) {
        try require(units, "units")
        var x = arguments.x
        if let inputMask = try mask(dropout, [1, x.shape.last], x, context) { x = try context.builder(.mul, x, inputMask) }
        let stateMask = try mask(recurrentDropout, [units], x, context)
        let width = gates * units
        let kernel = try context.parameter(
            prefix + "kernel", [x.shape.last, width], kernelInitializer, regularizer: kernelRegularizer)
        let r = try context.parameter(
            prefix + "recurrent_kernel", [gates, units, units], recurrentInitializer, regularizer: recurrentRegularizer)
        var product = [x, kernel]
        if usesBias { product.append(try context.parameter(prefix + "bias", [width], biasInitializer)) }
        let extra = try extraParameters(prefix, context)
        let z = try context.node(ApusGraph.Dense(hasBias: usesBias), product)[0]
        var states = firstStates
        guard context.phase != .step || states.isEmpty else {
            throw .unsupported("a first state given to a step, which remembers its own")
        }
        let remembers = context.remembers && !reverse && states.isEmpty
        if remembers {
            for name in stateNames { states.append(try context.memory(prefix + name, [x.shape[0], units])) }
        }
        let op = try operation(
            reverse: reverse, hasLengths: arguments.lengths != nil, hasInitialState: !states.isEmpty,
            keepsGates: context.phase == .training, hasStateMask: stateMask != nil)
        let optional = [arguments.lengths].compactMap { $0 } + states + [stateMask].compactMap { $0 }
        let results = try context.node(op, [z, r] + extra + optional)
        let last = Array(results[1...stateNames.count])
        if remembers {
            for (name, state) in zip(stateNames, last) { try context.remember(prefix + name, state) }
        }
        return (results[0], last)
    }

    /// In training 0 with probability `rate`, else 1 / (1 − rate), [batch, …]: one mask for all steps of a sequence (Gal and
    /// Ghahramani 2016).
    private func mask(_ rate: Double, _ shape: [Int], _ x: Value, _ context: LayerContext) throws(ApusError) -> Value? {
        guard rate >= 0 && rate < 1 else { throw .argument("a dropout of \(rate), wanted 0 ..< 1") }
        guard context.phase == .training, rate > 0, let counter = context.counter else { return nil }
        // Ones [batch, 1, 1], of which every sequence has as many as it has elements of the mask.
        let builder = context.builder
        let corner = try builder(Slice(axes: [1, 2], starts: [0, 0], ends: [1, 1]), x)
        let one = try builder(ExpandLike(), try builder.scalar(1, x.type.dtype), corner)
        let shaped = try builder(ApusGraph.Reshape([0] + shape.map { _ in 1 }), one)
        let ones = try builder(Expand([0] + shape), shaped)
        let source = RandomSource(seed: context.seed, stream: context.stream())
        return try builder(ApusGraph.Dropout(rate: Float(rate), source: source), ones, counter)
    }
}
