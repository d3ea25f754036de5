import ApusGraph

/// Builds the only function of a plain graph anew on integer codes.
///
/// A value exists as codes, as real numbers, or both, whichever its readers ask for. A node goes to codes where a rule
/// says how and it pays: products always, everything else where its inputs are codes already.
struct IntegerTranslation {
    let source: Graph
    let function: Function
    /// Per local of the source its codes; nil for what is not real or was never seen.
    let codes: [CodeScale?]
    let keepFloat: Set<String>
    /// A node that stays real but reads its inputs as their codes give them back: what a node on integers is to be measured by.
    var readsCodes: String?
    /// A node whose inputs become codes though no node before it computes on them.
    var isolated: String?
    /// Per local of the source the means of its channels, where biases are corrected by them.
    var channelMeans: [[Double]?] = []
    let builder: GraphBuilder
    /// Per local of the source what stands for it.
    private var reals: [Value?]
    private var integers: [Value?]
    /// Per local of the source whether the function's outputs and nodes without an integer form alone read it, at once or after
    /// what moves its elements.
    private var leaves: [Bool]
    private let types: [TensorType]
    private let smallestTypes: [TensorType]
    /// Per local of the source the first local of its node's outputs.
    private let first: [Int]
    /// Names of the nodes that went to codes.
    private(set) var integerNodes: Set<String> = []

    init(_ source: Graph, codes: [CodeScale?], keepFloat: Set<String>) throws(ApusError) {
        self.source = source
        function = source.functions[0]
        self.codes = codes
        self.keepFloat = keepFloat
        reals = [Value?](repeating: nil, count: codes.count)
        integers = reals
        leaves = [Bool](repeating: true, count: codes.count)
        var first: [Int] = [], next = function.inputs.count
        for node in function.nodes {
            first.append(next)
            next += node.op.outputCount
        }
        let valid = try ValidGraph(validating: source)
        types = try valid.types(ofFunction: 0, dimensions: source.maxima)
        smallestTypes = try valid.types(ofFunction: 0, dimensions: source.dimensions.map { $0.minimum })
        self.first = first
        let result = Graph(source.name)
        result.producer = source.producer
        result.metadata = source.metadata
        result.dimensions = source.dimensions
        result.states = source.states
        result.constants = source.constants
        builder = GraphBuilder(result, function: function.name)
        for (place, node) in function.nodes.enumerated().reversed() {
            guard let form = integerForm(node) else { continue }
            let outputs = first[place]..<first[place] + node.op.outputCount, isMoved = outputs.allSatisfy { leaves[$0] }
            for case .local(let local) in node.inputs where !(form.keepsCodes && isMoved) { leaves[local] = false }
        }
        for update in function.updates { leaves[update.local] = false }
    }

    /// The quantized graph.
    mutating func run() throws(ApusError) -> Graph {
        for (i, input) in function.inputs.enumerated() {
            reals[i] = try builder.input(input.name, input.type, contract: input.contract)
        }
        for (place, node) in function.nodes.enumerated() {
            do throws(ApusError) { try translate(node, firstOutput: first[place]) } catch {
                throw error.within("quantizing node '\(node.name)'")
            }
        }
        for output in function.outputs {
            builder.output(output.name, try real(output.operand), type: output.type, labels: output.labels)
        }
        for update in function.updates { try builder.update(state: update.state, to: try real(.local(update.local))) }
        builder.finish()
        return builder.graph
    }

    private mutating func translate(_ node: Node, firstOutput: Int) throws(ApusError) {
        let site = IntegerSite(
            node: node, type: types[firstOutput], output: codes[firstOutput], isLeaf: leaves[firstOutput])
        if node.name == isolated { for case .local(let local) in node.inputs { _ = try integer(.local(local)) } }
        if !keepFloat.contains(node.name), let outputs = try integerNode(site) {
            integerNodes.insert(node.name)
            for (i, value) in outputs.enumerated() {
                if value.type.dtype == .i8 { integers[firstOutput + i] = value } else { reals[firstOutput + i] = value }
            }
            return
        }
        var inputs: [Value] = []
        for operand in node.inputs {
            guard node.name == readsCodes, case .local = operand, let codes = try integer(operand) else {
                inputs.append(try real(operand))
                continue
            }
            inputs.append(try builder(Dequantize(), codes))
        }
        for (i, value) in try builder.node(node.op, inputs, name: node.name).enumerated() { reals[firstOutput + i] = value }
    }

    // MARK: What rules ask

    /// With the symbolic dimensions at their largest.
    func shape(_ local: Int) -> Shape { types[local].shape }

    /// Whether no symbolic dimension changes these axes.
    func isFixed(_ local: Int, _ axes: Range<Int>) -> Bool {
        axes.allSatisfy { types[local].shape[$0] == smallestTypes[local].shape[$0] }
    }

    /// An operand as real numbers.
    mutating func real(_ operand: Operand) throws(ApusError) -> Value {
        guard case .local(let local) = operand else { return builder.value(operand) }
        if let value = reals[local] { return value }
        guard let value = integers[local] else { throw .argument("a value that no node makes") }
        let real = try builder(Dequantize(), value)
        reals[local] = real
        return real
    }

    /// An operand that is codes already.
    func existingCodes(_ operand: Operand) -> Value? {
        guard case .local(let local) = operand else { return nil }
        return integers[local]
    }

    /// An operand as codes, made from real numbers if need be; nil where none were calibrated.
    mutating func integer(_ operand: Operand) throws(ApusError) -> Value? {
        switch operand {
        case .local(let local):
            if let value = integers[local] { return value }
            guard let codes = codes[local], let real = reals[local] else { return nil }
            let value = try builder(Quantize(to: codes), real)
            integers[local] = value
            return value
        case .constant(let index):
            let constant = source.constants[index]
            guard constant.type.dtype == .f32, constant.type.layout == .plain else { return nil }
            return try constantCodes(constant)
        case .state: return nil
        }
    }

    func append(_ constant: Constant) -> Value {
        builder.graph.constants.append(constant)
        return builder.constant(builder.graph.constants.count - 1)
    }

    /// The codes that a local has in the result.
    func ownCodes(_ local: Int) -> CodeScale? { integers[local].flatMap { CodeScale($0.type) } }

    /// A plain f32 constant.
    func realConstant(_ operand: Operand?) -> Constant? {
        guard case .constant(let index)? = operand else { return nil }
        let constant = source.constants[index]
        return constant.type.dtype == .f32 && constant.type.layout == .plain ? constant : nil
    }

    /// Codes in units of another scale.
    func rescaled(_ value: Value, to codes: CodeScale) throws(ApusError) -> Value {
        guard let from = CodeScale(value.type), from != codes else { return value }
        return try lookup(value, from, codes) { $0 }
    }

    /// A function of one number, as a table of codes or, without a scale for them, of real numbers.
    func lookup(
        _ value: Value, _ from: CodeScale, _ to: CodeScale?, name: String = "", _ f: (Double) -> Double
    ) throws(ApusError) -> Value {
        let values = (-128...127).map { f(Double(from.scale) * Double($0 - Int(from.zeroPoint))) }
        let table = to.map { to in
            values.map { to.code($0) }.withUnsafeBytes { Constant("table", TensorType(.i8, [256]), HeapStorage($0)) }
        }
        return try builder(
            Lookup(output: to), value, append(table ?? Constant("table", floats: values.map { Float($0) })), name: name)
    }

    /// The codes of f of a constant, over the range that its elements have.
    func constantCodes(_ constant: Constant, _ f: (Double) -> Double = { $0 }) throws(ApusError) -> Value {
        let values = try constant.finiteDoubles().map(f), codes = CodeScale(low: values.min() ?? 0, high: values.max() ?? 0)
        return append(
            values.map { codes.code($0) }.withUnsafeBytes {
                Constant(constant.name, codes.type(constant.type.shape), HeapStorage($0))
            })
    }
}

/// What a rule is told of the node it translates.
struct IntegerSite {
    let node: Node
    /// Of the first output, with the symbolic dimensions at their largest.
    let type: TensorType
    /// The codes calibrated for the first output.
    let output: CodeScale?
    /// Nothing reads it as codes.
    let isLeaf: Bool
}

extension CodeScale {
    /// Of codes with one scale for the tensor.
    public init?(_ type: TensorType) {
        guard type.dtype == .i8, let quantization = type.quantization, quantization.scales.count == 1 else { return nil }
        self.init(scale: quantization.scales[0], zeroPoint: quantization.zeroPoints.first ?? 0)
    }

    /// quantize(x / scale), in double.
    public func code(_ x: Double) -> Int8 {
        let units = (x / Double(scale)).rounded(.toNearestOrEven) + Double(zeroPoint)
        return units >= -128 ? Int8(min(units, 127)) : -128
    }
}
