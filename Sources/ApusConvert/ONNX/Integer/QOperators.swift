import ApusGraph

/// An operator of ONNX's "QOperator" form: it stands for DequantizeLinear, a float operator and QuantizeLinear.
private struct QOperator: Sendable {
    let op: String
    /// Where each operand, its scale and its zero point begin, and along which axis its scales are, if there are many.
    let operands: [(place: Int, axis: Int)]
    /// Where the result's scale and zero point are; past the inputs that are there, the result is real.
    let result: Int
    /// Where a bias is, whose scale is the product of the operands' and of alpha.
    var bias: Int?
}

private let qOperators: [String: QOperator] = [
    "QLinearConv": QOperator(op: "Conv", operands: [(0, 0), (3, 0)], result: 6, bias: 8),
    "QLinearMatMul": QOperator(op: "MatMul", operands: [(0, 0), (3, 1)], result: 6),
    "com.microsoft.QGemm": QOperator(op: "Gemm", operands: [(0, 0), (3, 1)], result: 7, bias: 6),
    "com.microsoft.QLinearAdd": QOperator(op: "Add", operands: [(0, 0), (3, 0)], result: 6),
    "com.microsoft.QLinearMul": QOperator(op: "Mul", operands: [(0, 0), (3, 0)], result: 6),
    "com.microsoft.QLinearSigmoid": QOperator(op: "Sigmoid", operands: [(0, 0)], result: 3),
    "com.microsoft.QLinearLeakyRelu": QOperator(op: "LeakyRelu", operands: [(0, 0)], result: 3),
    "com.microsoft.QLinearSoftmax": QOperator(op: "Softmax", operands: [(0, 0)], result: 3),
    "com.microsoft.QLinearAveragePool": QOperator(op: "AveragePool", operands: [(0, 0)], result: 3),
    "com.microsoft.QLinearGlobalAveragePool": QOperator(op: "GlobalAveragePool", operands: [(0, 0)], result: 3),
    "com.microsoft.QLinearConcat": QOperator(op: "Concat", operands: [], result: 0),
]

private let expansions: [String: @Sendable (OnnxNode) -> [OnnxNode]?] = {
    var table: [String: @Sendable (OnnxNode) -> [OnnxNode]?] = [
        "com.microsoft.DynamicQuantizeMatMul": { $0.dynamicProduct },
        "com.microsoft.MatMulIntegerToFloat": { $0.integerProduct },
        "com.microsoft.QAttention": { $0.integerAttention },
        "com.microsoft.QEmbedLayerNormalization": { $0.integerEmbedding },
    ]
    for (name, q) in qOperators { table[name] = { $0.expanded(by: q) } }
    return table
}()

extension OnnxNode {
    /// The nodes that the node is short for, of ONNX's own set but for what that lacks; nil where it is short for none.
    var expanded: [OnnxNode]? { expansions[domain.isEmpty ? op : "\(domain).\(op)"]?(self) }

    /// The operators of a domain that nodes may be short for others by.
    static func expandable(domain: String) -> [String] {
        expansions.keys.filter { $0.hasPrefix(domain + ".") }.map { String($0.dropFirst(domain.count + 1)) }
    }

    fileprivate func expanded(by q: QOperator) -> [OnnxNode]? {
        guard outputs.count == 1 else { return nil }
        let parts = stride(from: 2, to: inputs.count - 2, by: 3).map { (place: $0, axis: 0) }
        let operands = op == "QLinearConcat" ? parts : q.operands
        guard operands.allSatisfy({ $0.place + 2 < inputs.count }), attributes["channels_last"]?.isZero ?? true else { return nil }
        var part = NodeParts(self), reals: [String] = []
        for (place, axis) in operands {
            // Scales of a turned matrix are those of its rows.
            let isTurned = axis == 1 && attributes["transB"].map { !$0.isZero } ?? false
            reals.append(
                part(
                    "DequantizeLinear", Array(inputs[place..<place + 3]), "dequantized_\(reals.count)",
                    ["axis": .int(isTurned ? 0 : axis)]))
        }
        if let bias = q.bias, let bias = input(bias) {
            var scale = part("Mul", operands.map { inputs[$0.place + 1] }, "bias_scale")
            if let alpha = attributes["alpha"] {
                scale = part("Mul", [scale, part("Constant", [], "alpha", ["value_float": alpha])], "scaled_bias_scale")
            }
            reals.append(part("DequantizeLinear", [bias, scale], "bias", ["axis": .int(0)]))
        }
        var own = attributes
        own["opset"] = nil
        own["channels_last"] = nil
        let y = part(q.op, reals, "real", own)
        if input(q.result) != nil {
            _ = part("QuantizeLinear", [y] + inputs[q.result..<min(q.result + 2, inputs.count)], "quantized")
        }
        return part.last(outputs)
    }

    /// The name of an input that is there.
    func input(_ index: Int) -> String? { index < inputs.count && !inputs[index].isEmpty ? inputs[index] : nil }
}

/// The nodes that one is short for.
struct NodeParts {
    private let node: OnnxNode
    private var nodes: [OnnxNode] = []

    init(_ node: OnnxNode) { self.node = node }

    /// Appends a node and returns the name of its output.
    mutating func callAsFunction(
        _ op: String, _ inputs: [String], _ name: String, _ attributes: [String: OnnxAttribute] = [:], domain: String = ""
    ) -> String {
        self(op, inputs, [name], attributes, domain: domain)[0]
    }

    mutating func callAsFunction(
        _ op: String, _ inputs: [String], _ names: [String], _ attributes: [String: OnnxAttribute] = [:], domain: String = ""
    ) -> [String] {
        var part = OnnxNode(name: "\(node.label)/\(names[0])", op: op, domain: domain, inputs: inputs)
        part.attributes = attributes
        part.outputs = names.map { "\(node.outputs[0])/\($0)" }
        nodes.append(part)
        return part.outputs
    }

    /// All of them, the last with these outputs.
    func last(_ outputs: [String]) -> [OnnxNode] {
        var nodes = nodes
        nodes[nodes.count - 1].outputs = outputs
        return nodes
    }
}

extension OnnxAttribute {
    var isZero: Bool {
        if case .int(0) = self { return true }
        return false
    }
}
