import ApusGraph
import enum Apus.ApusVersion

/// What an export to ONNX is told.
public struct OnnxExportOptions: Sendable {
    /// The function that becomes the model's graph; nil: the only one, or "predict".
    public var function: String?
    /// Weights in a file beside the model, named like it with ".data" appended. Models beyond 2 GB always are so.
    public var externalData = false

    public init() {}
}

/// One function of a graph → an ONNX model and its initializers.
///
/// Nodes are taken in order; each becomes what its rule in `OnnxExportTable` emits. A node that cannot be exported is
/// reported, and the others are still looked at, so that one report names all of them.
final class Exporter {
    /// The operator set of a model, and that of one with integers of 4 bits or scales of blocks, which only it has. In models
    /// of the latter ONNX Runtime 1.32 marks int8 codes as uint8 where it moves them, and then refuses what it made.
    static let operatorSet = 20, narrowOperatorSet = 21
    static let irVersion = 10

    private let graph: Graph
    private let function: Function
    /// Of the function's locals, with every symbolic dimension at its largest and at its smallest.
    private let types, smallestTypes: [TensorType]
    private(set) var model = OnnxModel()
    private(set) var initializers: [OnnxInitializer] = []
    private var blocks: [OnnxBlock] = []
    /// What stands for each local made so far.
    private var values: [ExportedValue] = []
    private var valueNames = UniqueNames(), nodeNames = UniqueNames()
    private var madeByNode: Set<String> = []
    /// What stands for a local's first rows, as many as the local after it says.
    var trimmed: [Int: ExportedValue] = [:]
    /// The node that makes each local.
    private var makers: [Int?] = []
    private var constants: [ConstantKey: String] = [:]
    private var transposes: [TransposeKey: String] = [:]

    private struct ConstantKey: Hashable {
        let isState: Bool
        let index: Int
        let order: AxisOrder
    }

    private struct TransposeKey: Hashable {
        let name: String
        let permutation: [Int]
    }

    /// The model of a graph's function, or what is in the way.
    static func export(
        _ graph: Graph, _ options: OnnxExportOptions
    ) throws(ApusError) -> Result<Exporter, OnnxBlocked> {
        let exporter = try Exporter(graph, options)
        try exporter.run()
        return exporter.blocks.isEmpty ? .success(exporter) : .failure(OnnxBlocked(blocks: exporter.blocks))
    }

    private init(_ graph: Graph, _ options: OnnxExportOptions) throws(ApusError) {
        let valid = try ValidGraph(validating: graph)
        let index = try Exporter.function(of: graph, options.function)
        self.graph = graph
        function = graph.functions[index]
        types = try valid.types(ofFunction: index, dimensions: graph.maxima)
        smallestTypes = try valid.types(ofFunction: index, dimensions: graph.dimensions.map { $0.minimum })
    }

    private static func function(of graph: Graph, _ name: String?) throws(ApusError) -> Int {
        if name == nil && graph.functions.count == 1 { return 0 }
        let wanted = name ?? "predict"
        if let index = graph.functionIndex(wanted) { return index }
        let names = graph.functions.map { $0.name }.joined(separator: ", ")
        throw .argument("no function '\(wanted)', wanted one of: \(names)")
    }

    private func run() throws(ApusError) {
        model.irVersion = Exporter.irVersion
        model.producer = "Apus"
        model.producerVersion = ApusVersion.text
        model.operatorSets = ["": Exporter.operatorSet]
        model.graph.name = graph.name.isEmpty ? function.name : graph.name
        model.metadata = graph.metadata
        for input in function.inputs {
            let name = valueNames.take(input.name)
            model.graph.inputs.append(valueInfo(name, input.type))
            values.append(ExportedValue(labeled(name, input.type), .plain(input.type.shape.rank)))
        }
        makers = function.inputs.map { _ in nil }
        for (i, node) in function.nodes.enumerated() { makers += [Int?](repeating: i, count: node.op.outputCount) }
        let outputNames = function.outputs.map { valueNames.take($0.name) }
        for update in function.updates {
            blocks.append(OnnxBlock(state: graph.states[update.state].name, function: function.name))
        }
        for node in function.nodes { export(node) }
        for (name, output) in zip(outputNames, function.outputs) { try declare(name, output) }
        removeUnread()
        chooseOperatorSet()
    }

    /// Rules may emit what turns out not to be read.
    private func removeUnread() {
        var read = Set(model.graph.outputs.map { $0.name })
        var nodes: [OnnxNode] = []
        for node in model.graph.nodes.reversed() where node.outputs.contains(where: read.contains) {
            read.formUnion(node.inputs)
            nodes.append(node)
        }
        model.graph.nodes = nodes.reversed()
        initializers.removeAll { !read.contains($0.name) }
    }

    private func chooseOperatorSet() {
        let isNarrow = initializers.contains { $0.dtype.bitWidth == 4 }
            || (model.graph.inputs + model.graph.outputs).contains { $0.elementType.dtype?.bitWidth == 4 }
            || model.graph.nodes.contains { $0.attributes["block_size"] != nil }
        guard isNarrow else { return }
        model.operatorSets[""] = Exporter.narrowOperatorSet
        for key in model.functions.keys { model.functions[key]!.operatorSets[""] = Exporter.narrowOperatorSet }
    }

    private func export(_ node: Node) {
        let first = values.count
        let context = NodeExport(node, self, firstOutput: first)
        do throws(ApusError) {
            guard let rule = OnnxExportTable.shared.find(node.op) else {
                throw .unsupported("operator \(node.op.name) has no form in ONNX")
            }
            values += try rule.export(context)
        } catch {
            blocks.append(OnnxBlock(node: node, types: node.inputs.map { type($0) }, reason: error.message))
            for local in first..<first + node.op.outputCount {
                values.append(ExportedValue("", .plain(types[local].shape.rank)))
            }
        }
    }

    // MARK: Inputs and outputs

    /// An input; of codes, dequantized and quantized again, which changes none and says what they stand for.
    private func labeled(_ name: String, _ type: TensorType) -> String {
        guard let codes = CodeScale(type) else { return name }
        let scale = define(Constant("\(name)/scale", floats: [codes.scale]).scalar)
        let zero = define(Constant(codes: [Int(codes.zeroPoint)], .i8, []))
        let real = append("DequantizeLinear", [name, scale, zero], [:], name: "\(name)/DequantizeLinear")[0]
        return append("QuantizeLinear", [real, scale, zero], [:], name: "\(name)/QuantizeLinear")[0]
    }

    private func valueInfo(_ name: String, _ type: TensorType) -> OnnxValueInfo {
        var info = OnnxValueInfo()
        info.name = name
        info.elementType = OnnxElementType(type.dtype)
        info.extents = type.shape.dimensions.map { extent in
            guard extent < 0 else { return .fixed(extent) }
            let symbol = graph.dimensions[-1 - extent]
            return symbol.minimum == symbol.maximum ? .fixed(symbol.maximum) : .named(symbol.name)
        }
        return info
    }

    /// A node's value takes the output's name; what is an output already, an input or a constant is copied.
    private func declare(_ name: String, _ output: FunctionOutput) throws(ApusError) {
        model.graph.outputs.append(valueInfo(name, output.type))
        let value = try self.name(output.operand)
        if madeByNode.remove(value) != nil {
            rename(value, name)
        } else {
            let node = OnnxNode(
                name: nodeNames.take(name), op: "Identity", inputs: [value], outputs: [name])
            model.graph.nodes.append(node)
        }
    }

    private func rename(_ old: String, _ new: String) {
        for i in model.graph.nodes.indices {
            model.graph.nodes[i].inputs = model.graph.nodes[i].inputs.map { $0 == old ? new : $0 }
            model.graph.nodes[i].outputs = model.graph.nodes[i].outputs.map { $0 == old ? new : $0 }
        }
        values = values.map { $0.name == old ? ExportedValue(new, $0.order) : $0 }
        for (key, name) in transposes where name == old { transposes[key] = new }
    }

    // MARK: Values

    func type(_ operand: Operand) -> TensorType { type(operand, types) }
    func smallestType(_ operand: Operand) -> TensorType { type(operand, smallestTypes) }
    func type(local: Int) -> TensorType { types[local] }

    private func type(_ operand: Operand, _ locals: [TensorType]) -> TensorType {
        switch operand {
        case .constant(let i): graph.constants[i].type
        case .state(let i): graph.states[i].type
        case .local(let i): locals[i]
        }
    }

    /// The order that an operand is there in.
    func order(_ operand: Operand) -> AxisOrder {
        if case .local(let i) = operand { return values[i].order }
        return .plain(type(operand).shape.rank)
    }

    /// The node that makes an operand.
    func maker(of operand: Operand) -> Node? {
        guard case .local(let local) = operand else { return nil }
        return makers[local].map { function.nodes[$0] }
    }

    func constant(_ operand: Operand) -> Constant? {
        guard case .constant(let index) = operand else { return nil }
        return graph.constants[index]
    }

    /// Whether something reads a local.
    func isRead(local: Int) -> Bool {
        function.outputs.contains { $0.operand == .local(local) }
            || function.nodes.contains { $0.inputs.contains(.local(local)) }
    }

    /// The ONNX value of an operand, its axes in an order; by default in their own. A constant may get 1s in front.
    func name(_ operand: Operand, _ order: AxisOrder? = nil) throws(ApusError) -> String {
        let order = order ?? .plain(type(operand).shape.rank)
        switch operand {
        case .local(let i): return name(values[i], order)
        case .constant(let i): return try name(graph.constants[i], isState: false, i, order)
        case .state(let i):
            let state = graph.states[i]
            let value = state.initial ?? Constant(state.name, state.type, HeapStorage(size: state.type.byteSize))
            return try name(Constant(state.name, state.type, value.storage, offset: value.offset), isState: true, i, order)
        }
    }

    private func name(_ value: ExportedValue, _ order: AxisOrder) -> String {
        guard value.order != order else { return value.name }
        let key = TransposeKey(name: value.name, permutation: value.order.permutation(to: order))
        if let name = transposes[key] { return name }
        let name = append(
            "Transpose", [value.name], ["perm": .ints(key.permutation)], name: value.name + "/Transpose")[0]
        transposes[key] = name
        return name
    }

    private func name(
        _ constant: Constant, isState: Bool, _ index: Int, _ order: AxisOrder
    ) throws(ApusError) -> String {
        let key = ConstantKey(isState: isState, index: index, order: order)
        if let name = constants[key] { return name }
        let name = define(constant, order)
        constants[key] = name
        return name
    }

    /// Adds an initializer.
    func define(_ constant: Constant, _ order: AxisOrder? = nil) -> String {
        let name = valueNames.take(constant.name.isEmpty ? "constant" : constant.name)
        initializers.append(OnnxInitializer(name, constant, order ?? .plain(constant.type.shape.rank)))
        return name
    }

    /// Appends a node, named like `name` as far as that is free, and returns its outputs.
    func append(
        _ op: String, _ inputs: [String], _ attributes: [String: OnnxAttribute], name: String, outputs: Int = 1
    ) -> [String] {
        let label = nodeNames.take(name.isEmpty ? op : name)
        var node = OnnxNode(name: label, op: op, inputs: inputs)
        node.attributes = attributes
        node.outputs = (0..<outputs).map { valueNames.take(outputs == 1 ? label : "\(label)_\($0)") }
        madeByNode.formUnion(node.outputs)
        model.graph.nodes.append(node)
        return node.outputs
    }

    /// Appends a call of a function, which the model then has.
    func call(_ own: OwnFunction, _ inputs: [String], name: String) -> String {
        model.functions[own.key] = own.function
        model.operatorSets[OwnFunction.domain] = OwnFunction.version
        let outputs = append(own.name, inputs, [:], name: name)
        model.graph.nodes[model.graph.nodes.count - 1].domain = OwnFunction.domain
        return outputs[0]
    }

    func cast(_ value: String, to dtype: DType, name: String) -> String {
        append("Cast", [value], ["to": .int(OnnxElementType(dtype).rawValue)], name: name)[0]
    }
}

/// Names that are each given once.
struct UniqueNames {
    private var taken: Set<String> = []
    /// The number after the last one given for a name that is taken.
    private var numbers: [String: Int] = [:]

    /// `name`, or where it is empty or taken, it with a number.
    mutating func take(_ name: String) -> String {
        if !name.isEmpty && taken.insert(name).inserted { return name }
        while true {
            let number = numbers[name, default: 1]
            numbers[name] = number + 1
            let result = "\(name)_\(number)"
            if taken.insert(result).inserted { return result }
        }
    }
}
