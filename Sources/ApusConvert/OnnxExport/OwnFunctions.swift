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
        let rows = body.quantizedRows()
        let codes = body.emit("Cast", [rows.codes], ["to": .int(OnnxElementType(.i8).rawValue)])
        let sums = body.emit("Cast", [body.emit("MatMulInteger", [codes, "W"])], ["to": .int(OnnxElementType(.f32).rawValue)])
        _ = body.emit("Mul", [body.emit("Mul", [sums, rows.scales]), "w"])
        return body.function
    }

    /// x·W for real W that codes of four bits stand for, each row of x quantized by its greatest magnitude: section 7 there.
    static let dynamicWeightOnlyDense = OwnFunction(name: "DynamicWeightOnlyDense") {
        var body = FunctionBody(inputs: ["x", "W"])
        let rows = body.quantizedRows()
        _ = body.emit("Mul", [body.emit("MatMul", [rows.codes, "W"]), rows.scales])
        return body.function
    }
}

extension FunctionBody {
    /// Section 8 there: the codes of x, as real numbers, and the scales of its rows.
    fileprivate mutating func quantizedRows() -> (codes: String, scales: String) {
        // The message leaves a single 0 out, but none of a list.
        let zero = emit("Constant", [], ["value_floats": .floats([0])])
        let isNumber = emit("Not", [emit("IsNaN", ["x"])])
        let magnitude = emit("Where", [isNumber, emit("Abs", ["x"]), zero])
        let greatest = emit("ReduceMax", [magnitude, integers([-1])], ["keepdims": .int(1)])
        let isSmall = emit("Less", [greatest, number(0x1p-100)])
        let inverse = emit("Where", [isSmall, zero, emit("Div", [number(127), greatest])])
        let scaled = emit("Mul", ["x", inverse])
        let bounded = emit("Clip", [scaled, number(-127), number(127)])
        // What is no number is the lowest code.
        let known = emit("Where", [emit("IsNaN", [scaled]), number(-127), bounded])
        return (emit("Round", [known]), emit("Div", [greatest, number(127)]))
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

/// What the importer makes of a call; nil: its nodes say it.
func importOwnFunction(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    guard n.node.domain == OwnFunction.domain else { return nil }
    switch n.node.op {
    case OwnFunction.dynamicDense.name: return try importDynamicDense(n)
    case OwnFunction.dynamicWeightOnlyDense.name:
        guard n.inputs.count == 2, let stored = n.inputs[1]?.stored else { return nil }
        return try weightOnlyProduct(n, stored, dynamicActivations: true)
    default: return nil
    }
}

private func importDynamicDense(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    guard n.inputs.count == 3, n.isKnown(1), n.isKnown(2), try n.dtype(1) == .i8, try n.dtype(2) == .f32, try n.rank(1) == 2
    else { return nil }
    let w = try n.known(1), columns = w.type.shape.last
    guard try n.known(2).type.shape == [columns] else { return nil }
    guard let weights = DynamicWeights(w.name, try w.integers(), w.type.shape) else { return nil }
    let scales = try n.known(2).tensor.array(of: Float.self)
    let x = try n.term(0)
    return [
        ImportedValue(try weights.product(x, scales, nil, n.g), .dynamic(.product(of: x, weights, scales)))
    ]
}
