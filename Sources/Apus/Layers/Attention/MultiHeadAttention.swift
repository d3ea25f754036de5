import ApusGraph

/// Attention in heads (Vaswani et al. 2017): queries, keys and values are projections of the inputs, each head of queries takes of
/// the values what its keys say, softmax(q·kᵀ / √size)·v, and the heads together are projected to the width of the queries.
///
/// Inputs: x [batch, time, width]; for cross attention a memory [batch, length, …], which keys and values are made of; then, if
/// some of the keys are padding, either a mask [batch, length], 0 where one is, or lengths [batch], i32 or i64, how many are
/// not; without either, lengths that a layer before, such as a masked `Embedding`, said the memory has. Output:
/// [batch, time, width], finite but of no meaning where every key is padding.
///
/// Parameters: query/kernel [width, heads · size]; key/kernel, value/kernel […, keyValueHeads · size]; output/kernel
/// [heads · size, width]; a bias of each. Dropout, in training, is of the output: the weights of attention stay whole, for no
/// matrix of them exists. Step by step a causal layer keeps the keys and values of the stream.
public final class MultiHeadAttention: Layer {
    public let heads: Int
    public let keyValueHeads: Int
    /// Of a head; nil: width / heads.
    public let size: Int?
    /// A query sees itself and what stands before it.
    public let isCausal: Bool
    public let rotary: RotaryPositions?
    public let usesBias: Bool
    public let dropout: Double
    /// Of the scores; nil: 1 / √size.
    public let scale: Double?
    private let kernelInitializer: any Initializer
    private let outputInitializer: any Initializer

    /// - Parameters:
    ///   - keyValueHeads: fewer heads of keys and values than of queries share them (Ainslie et al. 2023); nil: as many.
    ///   - outputInitializer: of the last projection; nil: as the others.
    public init(
        heads: Int, keyValueHeads: Int? = nil, size: Int? = nil, causal: Bool = false, rotary: RotaryPositions? = nil,
        usesBias: Bool = true, dropout: Double = 0, scale: Double? = nil, kernelInitializer: any Initializer = GlorotUniform(),
        outputInitializer: (any Initializer)? = nil, name: String = ""
    ) {
        self.heads = heads
        self.keyValueHeads = keyValueHeads ?? heads
        self.size = size
        isCausal = causal
        self.rotary = rotary
        self.usesBias = usesBias
        self.dropout = dropout
        self.scale = scale
        self.kernelInitializer = kernelInitializer
        self.outputInitializer = outputInitializer ?? kernelInitializer
        super.init(name: name)
    }

    public override var runsStepByStep: Bool { isCausal }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let given = try AttentionInputs(inputs, context)
        let x = given.queries, width = x.shape.last
        guard heads > 0, keyValueHeads > 0, heads % keyValueHeads == 0 else {
            throw .argument("\(heads) heads and \(keyValueHeads) of keys and values, wanted a positive multiple")
        }
        guard size != nil || width % heads == 0 else {
            throw .shape("\(heads) heads of x \(x.type), wanted a divisor of its width")
        }
        if let scale, !scale.isFinite { throw .argument("scores times \(scale), wanted a finite scale") }
        let size = self.size ?? width / heads
        try require(heads, "heads")
        try require(size, "channels a head")
        var q = try projected(x, "query", heads * size, kernelInitializer, context)
        var k = try projected(given.memory, "key", keyValueHeads * size, kernelInitializer, context)
        let v = try projected(given.memory, "value", keyValueHeads * size, kernelInitializer, context)
        if let rotary {
            q = try rotary.turned(q, heads: heads, context)
            k = try rotary.turned(k, heads: keyValueHeads, context)
        }
        let mixed = try mixed(q, k, v, given, scale: Float(scale ?? 1 / Double(size).squareRoot()), context)
        let y = try projected(mixed, "output", width, outputInitializer, context)
        let result = try context.dropped(y, rate: dropout)
        if let lengths = context.lengths(of: x) { context.setLengths(of: result, lengths) }
        return [result]
    }

    /// What each head takes of the values.
    private func mixed(
        _ q: Value, _ k: Value, _ v: Value, _ given: AttentionInputs, scale: Float, _ context: LayerContext
    ) throws(ApusError) -> Value {
        guard context.phase == .step else {
            let mask = try given.mask(context)
            let attention = Attention(
                heads: heads, keyValueHeads: keyValueHeads, scale: scale, isCausal: isCausal, hasMask: mask != nil)
            return try context.node(attention, [q, k, v] + (mask.map { [$0] } ?? []))[0]
        }
        guard given.isAlone else { throw .unsupported("a step of attention to a memory or with padding, wanted to itself alone") }
        return try context.cachedAttention(q, k, v, heads: heads, keyValueHeads: keyValueHeads, scale: scale)
    }

    private func projected(
        _ x: Value, _ part: String, _ width: Int, _ initializer: any Initializer, _ context: LayerContext
    ) throws(ApusError) -> Value {
        let kernel = try context.parameter("\(part)/kernel", [x.shape.last, width], initializer)
        guard usesBias else { return try context(ApusGraph.Dense(hasBias: false), x, kernel) }
        return try context(ApusGraph.Dense(), x, kernel, try context.parameter("\(part)/bias", [width], Filled(0)))
    }
}

/// What attention is given, told apart by rank.
private struct AttentionInputs {
    let queries: Value
    let memory: Value
    private let padding: Value?
    /// Attention of a sequence to itself, all of it present.
    let isAlone: Bool

    init(_ inputs: [Value], _ context: LayerContext) throws(ApusError) {
        let sequences = inputs.prefix { $0.shape.rank == 3 }, rest = inputs.dropFirst(sequences.count)
        guard (1...2).contains(sequences.count), rest.count <= 1 else {
            let found = inputs.map { "\($0.type)" }.joined(separator: ", ")
            throw .shape("inputs \(found), wanted x [batch, time, width], a memory like it or none, a mask or lengths or none")
        }
        queries = sequences[0]
        memory = sequences.last!
        padding = rest.first ?? context.lengths(of: sequences.last!)
        isAlone = inputs.count == 1
        guard let padding else { return }
        let batch = memory.shape[0], length = memory.shape[1]
        switch padding.shape.rank {
        case 1 where padding.shape[0] == batch && (padding.type.dtype == .i32 || padding.type.dtype == .i64): break
        case 2 where padding.shape == [batch, length]: break
        default:
            throw .shape("padding \(padding.type), wanted a mask [\(batch), \(length)] or lengths [\(batch)] of i32 or i64")
        }
    }

    /// What is added to scores, [batch, 1, 1, length]: −1e9 at padding, as Keras does, which leaves 0 of it, else 0. Much less
    /// would not be finite where all scores have it: kernels round score · log₂ e.
    func mask(_ context: LayerContext) throws(ApusError) -> Value? {
        guard let padding else { return nil }
        let length = memory.shape[1], present = try context.present(padding, length: length)
        let zero = try context.builder.scalar(0, queries.type.dtype)
        let lowest = try context.builder.scalar(-1e9, queries.type.dtype)
        return try context(ApusGraph.Reshape([0, 1, 1, length]), try context(Where(), present, zero, lowest))
    }
}
