import ApusGraph

/// What ONNX has no operator for, as a function that a model brings with it: other runtimes run its nodes, and the importer
/// knows it by its name.
struct OwnFunction: Sendable {
    static let domain = "apus"
    static let version = 1

    let name: String
    fileprivate let build: @Sendable () -> OnnxFunction

    var key: OnnxFunction.Key { OnnxFunction.Key(domain: OwnFunction.domain, name: name, overload: "") }
    var function: OnnxFunction { build() }

    /// x·W·w, each row of x quantized by its greatest magnitude: Docs/Quantization.md, section 8.
    static let dynamicDense = OwnFunction(name: "DynamicDense") {
        var body = FunctionBody(inputs: ["x", "W", "w"])
        // The message leaves a single 0 out, but none of a list.
        let zero = body.emit("Constant", [], ["value_floats": .floats([0])])
        let isNumber = body.emit("Not", [body.emit("IsNaN", ["x"])])
        let magnitude = body.emit("Where", [isNumber, body.emit("Abs", ["x"]), zero])
        let greatest = body.emit("ReduceMax", [magnitude, body.integers([-1])], ["keepdims": .int(1)])
        let isSmall = body.emit("Less", [greatest, body.number(0x1p-100)])
        let inverse = body.emit("Where", [isSmall, zero, body.emit("Div", [body.number(127), greatest])])
        let scaled = body.emit("Mul", ["x", inverse])
        let bounded = body.emit("Clip", [scaled, body.number(-127), body.number(127)])
        // What is no number is the lowest code.
        let known = body.emit("Where", [body.emit("IsNaN", [scaled]), body.number(-127), bounded])
        let codes = body.emit("Cast", [body.emit("Round", [known])], ["to": .int(OnnxElementType(.i8).rawValue)])
        let sums = body.emit("Cast", [body.emit("MatMulInteger", [codes, "W"])], ["to": .int(OnnxElementType(.f32).rawValue)])
        let unit = body.emit("Div", [greatest, body.number(127)])
        _ = body.emit("Mul", [body.emit("Mul", [sums, unit]), "w"])
        return body.function
    }
}

/// Nodes of a function, whose last output is the function's.
private struct FunctionBody {
    private(set) var function = OnnxFunction()

    init(inputs: [String]) {
        function.inputs = inputs
        function.operatorSets = ["": Exporter.operatorSet]
    }

    mutating func emit(_ op: String, _ inputs: [String], _ attributes: [String: OnnxAttribute] = [:]) -> String {
        var node = OnnxNode(op: op, inputs: inputs)
        node.outputs = ["\(op)_\(function.nodes.count)"]
        node.attributes = attributes
        function.nodes.append(node)
        function.outputs = node.outputs
        return node.outputs[0]
    }

    mutating func number(_ value: Float) -> String { emit("Constant", [], ["value_float": .float(value)]) }
    mutating func integers(_ values: [Int]) -> String { emit("Constant", [], ["value_ints": .ints(values)]) }
}

/// What the importer makes of a call: DynamicDense.
func importOwnFunction(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    guard n.node.domain == OwnFunction.domain, n.node.op == OwnFunction.dynamicDense.name, n.inputs.count == 3, n.isKnown(1),
        n.isKnown(2), try n.dtype(1) == .i8, try n.dtype(2) == .f32, try n.rank(1) == 2
    else { return nil }
    let w = try n.known(1), columns = w.type.shape.last
    guard try n.known(2).type.shape == [columns] else { return nil }
    var sums = [Int](repeating: 0, count: columns)
    for (i, code) in try w.integers().enumerated() { sums[i % columns] += code }
    let weights = DynamicWeights(codes: w, sums: sums), scales = try n.known(2).tensor.array(of: Float.self)
    let x = try n.term(0)
    return [
        ImportedValue(try weights.product(x, scales, nil, n.g), .dynamic(.product(of: x, weights, scales)))
    ]
}
