import Apus
import ApusGraph
import ApusRuntime
import Foundation
import ToolSupport

/// All that `inspect` says of a model.
struct Inspection: Encodable {
    struct Dimension: Encodable {
        let name: String
        let minimum: Int
        let maximum: Int
    }

    struct Edge: Encodable {
        let name: String
        let type: ReportedType
        let contract: ReportedContract?
        let labels: [String]?
    }

    struct Operation: Encodable {
        let name: String
        let operation: String
        let outputs: [ReportedType]
        let parameters: Int
        let macs: Int
        let operations: Int
        /// The instruction set that kernels are chosen for here, and how the weights are stored.
        let kernel: String
    }

    struct FunctionReport: Encodable {
        let name: String
        let inputs: [Edge]
        let outputs: [Edge]
        let operators: [Operation]
        let updates: [String]
        let parameters: Int
        let macs: Int
        let arenaBytes: Int
    }

    struct Entry: Encodable {
        let key: String
        let value: String
    }

    let file: String
    let fileBytes: Int
    let name: String
    let producer: String
    let dimensions: [Dimension]
    let weightBytes: Int
    let stateBytes: Int
    let sessionBytes: Int
    let functions: [FunctionReport]
    let metadata: [Entry]
    let goldenPairs: Int

    init(_ model: ApusRuntime.Model, path: String) throws(ApusError) {
        let graph = model.graph
        file = path
        let followed = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        fileBytes = ((try? FileManager.default.attributesOfItem(atPath: followed))?[.size] as? NSNumber)?.intValue ?? 0
        name = graph.name
        producer = graph.producer
        dimensions = graph.dimensions.map { Dimension(name: $0.name, minimum: $0.minimum, maximum: $0.maximum) }
        weightBytes = graph.constants.reduce(0) { $0 + $1.type.byteSize }
        stateBytes = graph.states.reduce(0) { $0 + $1.type.byteSize }
        sessionBytes = try Session.memorySize(model)
        metadata = graph.metadata.map { Entry(key: $0.key, value: $0.value) }
        goldenPairs = graph.goldens.count
        var functions: [FunctionReport] = []
        for index in graph.functions.indices { functions.append(try Inspection.function(model, index)) }
        self.functions = functions
    }

    private static func function(_ model: ApusRuntime.Model, _ index: Int) throws(ApusError) -> FunctionReport {
        let graph = model.graph, function = graph.functions[index]
        let cost = try GraphReport(model.valid, function: index)
        let isa = InstructionSet.name(InstructionSet.selected)
        let operators = zip(function.nodes, cost.rows).map { node, row in
            Operation(
                name: row.name, operation: row.operation, outputs: row.outputs.map { ReportedType($0, graph) },
                parameters: row.parameters, macs: row.macs, operations: row.operations,
                kernel: ([isa] + storage(node, graph)).joined(separator: ", "))
        }
        return FunctionReport(
            name: function.name,
            inputs: function.inputs.map {
                Edge(
                    name: $0.name, type: ReportedType($0.type, graph), contract: $0.contract.map { ReportedContract($0) },
                    labels: nil)
            },
            outputs: function.outputs.map {
                Edge(
                    name: $0.name, type: ReportedType($0.type, graph), contract: nil, labels: $0.labels.isEmpty ? nil : $0.labels)
            },
            operators: operators, updates: function.updates.map { graph.states[$0.state].name },
            parameters: cost.parameters, macs: cost.macs, arenaBytes: try MemoryMap(model, function: index).peak)
    }

    /// How packed or narrow weights of a node are stored.
    private static func storage(_ node: Node, _ graph: Graph) -> [String] {
        for case .constant(let i) in node.inputs {
            let type = graph.constants[i].type
            switch type.layout {
            case .plain where type.dtype == .f16 || type.dtype == .bf16: return [type.dtype.name]
            case .plain: continue
            default: return ["\(type.dtype.name) panels"]
            }
        }
        return []
    }

    // MARK: Text

    var text: String {
        var text = "\(file.printable): \(name.isEmpty ? "a model" : name.printable), \(Quantity.bytes(fileBytes))"
        if !producer.isEmpty { text += ", by \(producer.printable)" }
        text += "\nweights \(Quantity.bytes(weightBytes)), states \(Quantity.bytes(stateBytes)), "
        text += "session \(Quantity.bytes(sessionBytes)), golden pairs \(goldenPairs)\n"
        for dimension in dimensions { 
            text += "dimension \(dimension.name) \(dimension.minimum) … \(dimension.maximum)".printable + "\n"
        }
        for entry in metadata { text += "\(entry.key): \(Inspection.shortened(entry.value))".printable + "\n" }
        for function in functions { text += "\n" + self.text(function) }
        return text
    }

    /// The beginning of a text of several lines or many bytes, such as a vocabulary, and how long it is.
    private static func shortened(_ value: String) -> String {
        let line = value.prefix { $0 != "\n" }
        guard line.utf8.count < value.utf8.count || line.utf8.count > 120 else { return value }
        let count = value.utf8.count { $0 == 10 } + 1
        return "\(line.prefix(40)) … (\(Quantity.counted(count, "line")), \(value.utf8.count) bytes)"
    }

    private func text(_ function: FunctionReport) -> String {
        var text = "function \(function.name.printable)\n"
        for input in function.inputs {
            text += "  input \(input.name) \(input.type.text)\(input.contract.map { "  (\($0.text))" } ?? "")".printable + "\n"
        }
        for output in function.outputs {
            let labels = output.labels.map { "  labels " + $0.joined(separator: ", ") } ?? ""
            text += "  output \(output.name) \(output.type.text)\(labels)".printable + "\n"
        }
        if !function.updates.isEmpty { text += "  updates \(function.updates.joined(separator: ", "))".printable + "\n" }
        var table = TextTable("node", "operator", "output", ">parameters", ">MACs", "kernel")
        for row in function.operators {
            table.add(
                row.name, row.operation, row.outputs.map { $0.text }.joined(separator: " "), Quantity.count(row.parameters),
                Quantity.scale(Double(row.macs)), row.kernel)
        }
        text += "\n" + table.text
        text += "total: \(Quantity.count(function.parameters)) parameter\(function.parameters == 1 ? "" : "s"), "
        text += "\(Quantity.scale(Double(function.macs))) MACs, arena \(Quantity.bytes(function.arenaBytes))\n"
        return text
    }
}
