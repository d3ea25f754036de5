import ApusGraph

/// What a layer emits into: a function under construction, and the network's parameters.
public final class LayerContext {
    public enum Phase: Sendable {
        /// Dropout drops, BatchNorm uses the batch's statistics and updates the moving ones.
        case training
        /// A whole sequence at once.
        case inference
        /// The next elements of a stream: layers take up what they remembered and remember what comes after.
        case step
    }

    public let phase: Phase
    public let builder: GraphBuilder
    /// A counter that grows with every training step: what random operators draw from. nil in inference.
    public let counter: Value?
    let seed: UInt64
    private let parameters: Parameters
    private let emit: (Int) -> Value
    /// A layer's name in the network.
    private let name: (Layer) -> String
    private(set) var updates: [(parameter: Int, value: Value)] = []
    private(set) var losses: [Value] = []
    private var regularized: Set<Int> = []
    private var streams: UInt32 = 0
    let step: StepMemory?
    /// In quantization-aware training.
    private let rounding: FakeQuantization?
    var isQuantizationAware: Bool { rounding != nil }
    /// Whether batch norms use their moving statistics in training too.
    var fixesBatchNorm: Bool { rounding?.stage.fixesBatchNorm ?? false }
    private(set) var currentLayer = Layer()
    /// Its name in the network.
    private(set) var currentName = ""
    /// 1 for the current layer's first call.
    private(set) var currentCall = 1
    private var callCounts: [ObjectIdentifier: Int] = [:]
    var lengths: [(of: Operand, lengths: Value)] = []

    /// `emit` gives the value of a parameter: a state in training, a constant in inference. `step` is there in a step, and in
    /// training by windows.
    init(
        _ phase: Phase, _ builder: GraphBuilder, _ parameters: Parameters, seed: UInt64, counter: Value?,
        step: StepMemory? = nil, rounding: FakeQuantization? = nil, name: @escaping (Layer) -> String = { $0.name },
        emit: @escaping (Int) -> Value
    ) {
        self.phase = phase
        self.builder = builder
        self.parameters = parameters
        self.seed = seed
        self.counter = counter
        self.step = step
        self.rounding = rounding
        self.name = name
        self.emit = emit
    }

    /// Begins a call of a layer.
    func enter(_ layer: Layer) throws(ApusError) {
        guard phase != .step || layer.runsStepByStep else {
            throw .unsupported("\(layer.kind) needs the whole sequence and cannot run step by step")
        }
        currentLayer = layer
        currentName = name(layer)
        currentCall = callCounts[ObjectIdentifier(layer), default: 0] + 1
        callCounts[ObjectIdentifier(layer)] = currentCall
    }

    /// A parameter of the current layer, made by `initializer` the first time it is asked for.
    public func parameter(
        _ name: String, _ shape: [Int], _ initializer: Initializer, trainable: Bool = true,
        regularizer: Regularizer? = nil
    ) throws(ApusError) -> Value {
        let index = try parameters.index(
            "\(currentName)/\(name)", shape, initializer, trainable: trainable)
        let value = emit(index)
        if let regularizer, phase == .training, regularized.insert(index).inserted {
            losses.append(try regularizer.loss(value, builder))
        }
        return value
    }

    /// A parameter of another layer, which stands before the current one in the network.
    public func parameter(_ name: String, of layer: Layer) throws(ApusError) -> Value {
        let owner = self.name(layer)
        guard let index = parameters.find("\(owner)/\(name)") else {
            let found = owner.isEmpty ? layer.kind : owner
            throw .argument("layer '\(found)' has no parameter '\(name)' yet, wanted it before '\(currentName)'")
        }
        return emit(index)
    }

    /// Whether a parameter of the current layer is trained.
    public func isTrainable(_ name: String) -> Bool {
        parameters.find("\(currentName)/\(name)").map { parameters.all[$0].isTrainable } ?? false
    }

    /// What the calls of the current layer so far make of its parameter in a training step; nil where they leave it.
    public func updated(_ name: String) -> Value? {
        parameters.find("\(currentName)/\(name)").flatMap { index in updates.first { $0.parameter == index }?.value }
    }

    /// After a training step the parameter takes this value, of several calls the last one's.
    public func update(_ name: String, to value: Value) throws(ApusError) {
        guard let index = parameters.find("\(currentName)/\(name)") else {
            throw .argument("layer '\(currentName)' has no parameter '\(name)'")
        }
        if let place = updates.firstIndex(where: { $0.parameter == index }) {
            updates[place].value = value
        } else {
            updates.append((index, value))
        }
    }

    /// A number of its own for each random operator of the network.
    public func stream() -> UInt32 {
        streams += 1
        return streams
    }

    /// Emits a node with one output, named after the layer.
    public func callAsFunction(_ op: Operator, _ inputs: Value...) throws(ApusError) -> Value {
        try node(op, inputs)[0]
    }

    /// Emits a node, named after the layer.
    public func node(_ op: Operator, _ inputs: [Value]) throws(ApusError) -> [Value] {
        let name = nodeName(op)
        if let rounding { return try rounding.node(op, inputs, name: name) }
        return try builder.node(op, inputs, name: name)
    }

    private var used: [String: Int] = [:]

    /// The layer's name for its first node, "name/Operator" for others, where an operator of training has the name of inference's.
    /// What only training emits goes to `builder`, so that the names of the others are the same in both.
    private func nodeName(_ op: Operator) -> String {
        let kind = op.name.hasSuffix("Training") ? String(op.name.dropLast("Training".count)) : op.name
        var name = used[currentName] == nil ? currentName : "\(currentName)/\(kind)"
        let count = used[name, default: 0]
        used[name] = count + 1
        if count > 0 { name += "_\(count)" }
        return name
    }
}
