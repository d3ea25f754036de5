import ApusGraph
import enum Apus.Packing

/// One node under export: its operator, its inputs, and where what it becomes is appended.
final class NodeExport {
    let node: Node
    private let exporter: Exporter
    private let firstOutput: Int
    private var isNamed = false

    init(_ node: Node, _ exporter: Exporter, firstOutput: Int) {
        self.node = node
        self.exporter = exporter
        self.firstOutput = firstOutput
    }

    // MARK: Inputs

    var inputCount: Int { node.inputs.count }

    func type(_ input: Int) -> TensorType { exporter.type(node.inputs[input]) }
    func dtype(_ input: Int) -> DType { type(input).dtype }
    func rank(_ input: Int) -> Int { type(input).shape.rank }
    func order(_ input: Int) -> AxisOrder { exporter.order(node.inputs[input]) }

    /// The extent along an axis; nil where a symbolic dimension decides it.
    func extent(_ input: Int, _ axis: Int) -> Int? {
        let extent = type(input).shape[axis]
        return exporter.smallestType(node.inputs[input]).shape[axis] == extent ? extent : nil
    }

    /// The ONNX value of an input, its axes in an order; by default in their own.
    func input(_ input: Int, _ order: AxisOrder? = nil) throws(ApusError) -> String {
        try exporter.name(node.inputs[input], order)
    }

    /// The ONNX value of weights, which may be narrower than x, as x's type.
    func weights(_ input: Int, _ order: AxisOrder? = nil) throws(ApusError) -> String {
        let name = try self.input(input, order)
        return dtype(input) == dtype(0) ? name : exporter.cast(name, to: dtype(0), name: name + "/Cast")
    }

    /// Inputs that broadcast together, and the order that all of them have: that of the first which is in another than
    /// its own, where the others can follow.
    func broadcast() throws(ApusError) -> (names: [String], order: AxisOrder) {
        let rank = node.inputs.indices.map { self.rank($0) }.max() ?? 0
        var order = AxisOrder.plain(rank)
        let canFollow = node.inputs.indices.allSatisfy { self.rank($0) == rank || isConstant($0) || self.rank($0) == 0 }
        if canFollow {
            for i in node.inputs.indices where self.rank(i) == rank && order.isPlain { order = self.order(i) }
        }
        var names: [String] = []
        for i in node.inputs.indices {
            let follows = self.rank(i) == rank || !order.isPlain && self.rank(i) > 0
            names.append(try input(i, follows ? order : nil))
        }
        return (names, order)
    }

    private func isConstant(_ input: Int) -> Bool {
        if case .local = node.inputs[input] { return false }
        return true
    }

    /// The export of the node that makes an input, of which only its inputs are of use.
    func maker(_ input: Int) -> NodeExport? {
        exporter.maker(of: node.inputs[input]).map { NodeExport($0, exporter, firstOutput: 0) }
    }

    /// An input that must be a constant, plain.
    func constant(_ input: Int) throws(ApusError) -> Constant {
        guard let constant = exporter.constant(node.inputs[input]) else {
            throw .unsupported("input \(input) is computed, wanted a constant")
        }
        return try Packing.unpack(constant)
    }

    // MARK: Rows that data count

    /// Output 0 holds these rows, as many as output 1 says, and others after them.
    func declareTrimmed(_ rows: ExportedValue) { exporter.trimmed[firstOutput] = rows }

    /// The first rows of input 0, as many as input 1 says, where the node that makes both declared them.
    func trimmed() -> ExportedValue? {
        guard case .local(let rows) = node.inputs[0], node.inputs[1] == .local(rows + 1) else { return nil }
        return exporter.trimmed[rows]
    }

    // MARK: Outputs

    /// Whether something reads an output.
    func isRead(output: Int) -> Bool { exporter.isRead(local: firstOutput + output) }

    func outputType(_ output: Int) -> TensorType { exporter.type(local: firstOutput + output) }

    /// The result of a node with one output in the order of its axes.
    func plain(_ name: String) -> [ExportedValue] { [ExportedValue(name, .plain(outputType(0).shape.rank))] }

    // MARK: Nodes

    /// Appends an ONNX node of one output. The first one bears the node's name, the others begin with it.
    func callAsFunction(_ op: String, _ inputs: String..., attributes: [String: OnnxAttribute] = [:]) -> String {
        emit(op, inputs, attributes)[0]
    }

    func emit(
        _ op: String, _ inputs: [String], _ attributes: [String: OnnxAttribute] = [:], outputs: Int = 1
    ) -> [String] {
        exporter.append(op, inputs, attributes, name: nextName(op), outputs: outputs)
    }

    func cast(_ name: String, to dtype: DType) -> String {
        exporter.cast(name, to: dtype, name: nextName("Cast"))
    }

    private func nextName(_ op: String) -> String {
        let name = node.name.isEmpty ? node.op.name : node.name
        defer { isNamed = true }
        return isNamed ? "\(name)/\(op)" : name
    }

    /// Calls a function that the model brings with it.
    func call(_ function: OwnFunction, _ inputs: [String]) -> String {
        exporter.call(function, inputs, name: nextName(function.name))
    }

    // MARK: Constants

    /// Adds an initializer.
    func define(_ constant: Constant) -> String {
        var named = constant
        if named.name.isEmpty { named.name = constantName }
        return exporter.define(named)
    }

    /// A vector of i64.
    func integers(_ values: [Int]) -> String { exporter.define(Constant(constantName, values)) }

    /// A tensor of one element; a scalar unless a shape is given.
    func scalar(_ value: Double, _ dtype: DType, shape: [Int] = []) throws(ApusError) -> String {
        exporter.define(try Constant(constantName, dtype, shape, [value]))
    }

    /// A tensor of numbers.
    func tensor(_ values: [Double], _ dtype: DType, _ shape: [Int]) throws(ApusError) -> String {
        exporter.define(try Constant(constantName, dtype, shape, values))
    }

    private var constantName: String { node.name.isEmpty ? "" : node.name + "/constant" }
}
