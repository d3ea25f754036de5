import ApusGraph

let activationExports: [OnnxExportRule] = [
    OperatorEntry.relu, .relu6, .leakyRelu, .elu, .sigmoid, .tanh, .gelu, .silu, .hardSwish, .softplus, .clip,
].map { entry in
    OnnxExportRule(entry) { (n, op: ActivationOperator) throws(ApusError) in
        let (names, order) = try n.broadcast()
        return [ExportedValue(try n.activation(op.activation, of: names[0], n.dtype(0)), order)]
    }
} + [
    OnnxExportRule(Softmax.entry) { (n, op: Softmax) throws(ApusError) in try exportAlongAxis("Softmax", n, op) },
    OnnxExportRule(LogSoftmax.entry) { (n, op: LogSoftmax) throws(ApusError) in try exportAlongAxis("LogSoftmax", n, op) },
]

private func exportAlongAxis(_ onnx: String, _ n: NodeExport, _ op: AlongAxis) throws(ApusError) -> [ExportedValue] {
    let order = n.order(0)
    let axis = order.place(of: try n.type(0).shape.axis(op.axis))
    return [ExportedValue(n(onnx, try n.input(0, order), attributes: ["axis": .int(axis)]), order)]
}

extension NodeExport {
    /// The nodes of an activation of a value of a type.
    func activation(_ activation: Activation, of x: String, _ dtype: DType) throws(ApusError) -> String {
        switch activation {
        case .none: x
        case .relu: dtype.isFloat ? self("Relu", x) : self("Max", x, try scalar(0, dtype))
        case .relu6: self("Clip", x, try scalar(0, dtype), try scalar(6, dtype))
        case .leakyRelu(let alpha): self("LeakyRelu", x, attributes: ["alpha": .float(alpha)])
        case .elu(let alpha): self("Elu", x, attributes: ["alpha": .float(alpha)])
        case .sigmoid: self("Sigmoid", x)
        case .tanh: self("Tanh", x)
        case .gelu: self("Gelu", x)
        case .geluTanh: self("Gelu", x, attributes: ["approximate": .string(Array("tanh".utf8))])
        case .silu: self("Mul", x, self("Sigmoid", x))
        case .hardSwish: self("HardSwish", x)
        case .softplus: self("Softplus", x)
        case .clip(let minimum, let maximum):
            self(
                "Clip", x, try bound(Double(minimum), dtype, .up), try bound(Double(maximum), dtype, .down))
        }
    }

    /// A bound of Clip; of integers the nearest one within, at the end of the type's range beyond it.
    private func bound(_ value: Double, _ dtype: DType, _ rule: FloatingPointRoundingRule) throws(ApusError) -> String {
        switch dtype {
        case .i32: try scalar(max(-0x1p31, min(value.rounded(rule), 0x1p31 - 1)), dtype)
        // The nearest doubles to the ends of i64.
        case .i64: try scalar(max(-0x1p63, min(value.rounded(rule), 0x1p63 - 1024)), dtype)
        default: try scalar(value, dtype)
        }
    }
}
