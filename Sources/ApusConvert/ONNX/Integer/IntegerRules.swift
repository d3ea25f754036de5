import ApusGraph

/// How nodes are imported whose inputs come from codes: as the float operators they are, with word of what codes they
/// could give, so that QuantizeLinear, where it follows, takes those. nil: like any other node.
typealias IntegerRule = @Sendable (NodeContext) throws(ApusError) -> [ImportedValue]?

/// Rules by the name of an operator of ONNX's own set.
let integerRules: [String: IntegerRule] = {
    var rules: [String: IntegerRule] = [
        "QuantizeLinear": quantizeCodes, "DequantizeLinear": dequantizeCodes, "Conv": integerProduct, "Gemm": integerProduct,
        "MatMul": integerProduct, "Add": integerSum, "Sub": integerDifference, "Mul": integerMultiplication, "Relu": activation, "Clip": activation,
        "AveragePool": integerAveragePool, "GlobalAveragePool": integerGlobalAveragePool, "ReduceMean": integerGlobalAveragePool,
        "Softmax": integerSoftmax, "Concat": integerConcatenation, "DynamicQuantizeLinear": dynamicQuantize,
        "MatMulInteger": dynamicProduct, "Cast": cast,
    ]
    for name in movements { rules[name] = movement }
    for name in functions { rules[name] = integerFunction }
    return rules
}()

/// What only moves or compares elements: of input 0.
private let movements = [
    "Reshape", "Transpose", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Split", "Gather", "Identity", "Expand", "Tile",
    "DepthToSpace", "SpaceToDepth", "Pad", "MaxPool", "GlobalMaxPool", "Resize", "Upsample",
]

/// What works element by element, other inputs being single numbers.
private let functions = [
    "Sigmoid", "Tanh", "LeakyRelu", "Elu", "Selu", "Celu", "HardSigmoid", "HardSwish", "Mish", "Softplus", "Softsign", "Gelu",
    "Swish", "ThresholdedRelu", "Shrink", "PRelu", "Erf", "Exp", "Log", "Sqrt", "Abs", "Neg", "Sign", "Reciprocal", "Floor",
    "Ceil", "Round", "Sin", "Cos", "Tan", "Div", "Pow", "Min", "Max",
]

extension NodeContext {
    /// The node imported as a float operator: its first output.
    func real() throws(ApusError) -> Term {
        let values = try importer.mapping(of: node, version)!.map(self)
        return try term(values[0])
    }

    /// The same node with other inputs.
    func with(_ inputs: [ImportedValue?]) -> NodeContext { NodeContext(node, version: version, inputs, g, importer, scope) }

    /// The same node in a scope of its own: for what a value comes to hold, and so the scope that has it.
    var detached: NodeContext {
        NodeContext(node, version: version, inputs, g, importer, Scope(operatorSets: scope.operatorSets))
    }

    /// The codes of an input: of a dequantized value, or of a constant with one scale.
    func codes(_ index: Int) throws(ApusError) -> Codes? {
        guard has(index) else { return nil }
        if let codes = inputs[index]!.linearCodes { return codes }
        return try inputs[index]!.stored?.codes(g)
    }
}

// MARK: Between reals and codes

@Sendable private func quantizeCodes(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    let x = try n.imported(0), dtype = n.has(2) ? try n.dtype(2) : try n.elementType("output_dtype", .u8)
    guard x.dtype == .f32, x.known == nil, try n.int("precision", 0) == 0,
        let scale = try CodeParameters(n, dtype: dtype), let to = scale.codeScale
    else { return nil }
    func codes() throws(ApusError) -> Term {
        if let pending = x.pending {
            do throws(ApusError) { return try pending.codes(to) } catch {
                guard error.code == .unsupported || error.code == .badShape else { throw error }
            }
        }
        if let function = try x.function {
            if function.isLinear { return try n.g.rescaled(function.codes, to: to) }
            return try n.g.lookup(function.codes.term, try function.table.tensor.array(of: Float.self), to: to)
        }
        return try n.g(Quantize(to: to), try n.term(0))
    }
    return [ImportedValue(Codes(term: try codes(), isUnsigned: scale.isUnsigned))]
}

@Sendable private func dequantizeCodes(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    let x = try n.imported(0)
    guard x.known == nil, let scale = try CodeParameters(n, dtype: x.dtype)?.codeScale else { return nil }
    if case .codes(let codes) = x.content {
        if codes.scale == scale {
            return [ImportedValue(try n.g(Dequantize(), codes.term), .function(try CodeFunction(dequantizing: codes)))]
        }
        let values = (-128...127).map { scale.scale * Float($0 - Int(scale.zeroPoint)) }
        let table = Constant("table", floats: values)
        let real = try n.g(Lookup(output: nil), codes.term, n.g.constant(table))
        return [ImportedValue(real, .function(CodeFunction(codes, table)))]
    }
    let real = try n.real()
    let codes = Codes(term: try n.g(Quantize(to: scale), real), isUnsigned: x.dtype == .u8)
    return [ImportedValue(real, .function(try CodeFunction(dequantizing: codes)))]
}

extension NodeContext {
    /// What DequantizeLinear made of constants, with word of what it made it of; so too a transpose of that.
    func remembering(_ values: [ImportedValue]) throws(ApusError) -> [ImportedValue] {
        guard values.count == 1, isKnown(0) else { return values }
        var value = values[0]
        if node.op == "DequantizeLinear" {
            let codes = try known(0)
            guard let parameters = try CodeParameters(self, dtype: codes.type.dtype) else { return values }
            value.origin = .stored(StoredCodes(constant: codes, parameters: parameters))
        } else if node.op == "Identity" {
            value.origin = inputs[0]!.origin
        }
        return [value]
    }
}

// MARK: What moves elements

@Sendable private func movement(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    let x = try n.imported(0)
    if n.node.op == "Gather" {
        if let values = try integerFunction(n) { return values }
        if let rows = try weightOnlyRows(n) { return rows }
    }
    let isAlone = n.inputs.dropFirst().allSatisfy { $0 == nil || $0!.known != nil } || n.node.op == "Gather"
    guard isAlone, try n.keepsCodes() else { return nil }
    let node = n.detached, mapping = n.importer.mapping(of: n.node, n.version)!
    func moved(_ codes: Term) throws(ApusError) -> [Term] {
        let inner = node.with([ImportedValue(codes)] + node.inputs.dropFirst())
        var terms: [Term] = []
        for value in try mapping.map(inner) { terms.append(try inner.term(value)) }
        return terms
    }
    if case .codes(let codes) = x.content {
        return try moved(codes.term).map { ImportedValue(Codes(term: $0, isUnsigned: codes.isUnsigned)) }
    }
    if let codes = x.linearCodes {
        var values: [ImportedValue] = []
        for term in try moved(codes.term) {
            let codes = Codes(term: term, isUnsigned: codes.isUnsigned)
            values.append(ImportedValue(try n.g(Dequantize(), term), .function(try CodeFunction(dequantizing: codes))))
        }
        return values
    }
    guard let pending = x.pending, n.node.outputs.count == 1 else { return nil }
    return [
        ImportedValue(
            try n.real(),
            .pending(PendingCodes { scale, _ throws(ApusError) in try moved(try pending.codes(scale))[0] }))
    ]
}

extension NodeContext {
    /// Whether a node gives elements of input 0 alone, or the zero that padding is.
    fileprivate func keepsCodes() throws(ApusError) -> Bool {
        switch node.op {
        case "Pad":
            guard try string("mode", "constant") == "constant" else { return true }
            guard isLinearOrPending else { return false }
            if version < 11 { return try float("value", 0) == 0 }
            return has(2) ? try number(2) == 0 : true
        case "Resize", "Upsample": return try string("mode", "nearest") == "nearest"
        case "MaxPool": return node.outputs.count == 1
        default: return true
        }
    }

    private var isLinearOrPending: Bool { inputs[0]!.linearCodes != nil || inputs[0]!.pending != nil }
}

// MARK: Functions of one code

@Sendable private func cast(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    if let values = try dynamicCast(n) { return values }
    return try integerFunction(n)
}

/// An elementwise node on functions of the same codes, and on single numbers: its own values by code, computed now.
@Sendable func integerFunction(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    var tables: [ImportedValue?] = [], codes: Codes?, rank = 0
    for (place, input) in n.inputs.enumerated() {
        guard let input else {
            tables.append(nil)
            continue
        }
        if let function = try input.function {
            guard codes == nil || codes!.term.value.operand == function.codes.term.value.operand else { return nil }
            codes = function.codes
            rank = input.shape.rank
            tables.append(ImportedValue(function.table))
        } else if let known = input.known, known.count == 1 {
            let isTable = n.node.op == "Gather" && place == 0 && known[0].type.shape.rank == 1
            guard isTable || known[0].type.shape.count == 1 && known[0].type.shape.rank <= max(1, input.shape.rank) else {
                return nil
            }
            var number = known[0]
            if !isTable { number.type.shape = [] }
            tables.append(ImportedValue(number))
        } else {
            return nil
        }
    }
    let numbers = n.inputs.compactMap { $0?.known?[0].type.shape.rank }
    guard let codes, n.node.op == "Gather" || (numbers.max() ?? 0) <= rank else { return nil }
    let table = try n.importer.computed(n.with(tables))
    guard table.type.shape == [256] else { return nil }
    let origin = CodeOrigin.function(CodeFunction(codes, table))
    if table.type.dtype == .f32 {
        return [ImportedValue(try n.g(Lookup(output: nil), codes.term, n.g.constant(table)), origin)]
    }
    return [ImportedValue(try n.real(), origin)]
}

/// ReLU and Clip bound what a node before them makes.
@Sendable private func activation(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    guard var pending = try n.imported(0).pending, pending.takesActivation, pending.activation == .none else {
        return try integerFunction(n)
    }
    if n.node.op == "Relu" {
        pending.activation = .relu
    } else {
        func bound(_ place: Int, _ name: String, _ otherwise: Float) throws(ApusError) -> Float {
            n.version < 11 ? try n.float(name, otherwise) : n.has(place) ? Float(try n.number(place)) : otherwise
        }
        pending.activation = .clip(
            minimum: try bound(1, "min", -.infinity), maximum: try bound(2, "max", .infinity))
    }
    return [ImportedValue(try n.real(), .pending(pending))]
}
