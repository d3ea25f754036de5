import ApusGraph
import CModelFormat

/// Where two training graphs differ, the values of states aside. Each answer is a line, or nil.
enum GraphDifference {
    /// The first weight or statistic that differs in name or type.
    static func parameters(_ found: Graph, wanted: Graph) -> String? {
        let isParameter = { (state: State) in state.role == .weight || state.role == .statistic }
        return states(found.states.filter(isParameter), wanted.states.filter(isParameter))
    }

    static func first(_ found: Graph, wanted: Graph) -> String? {
        states(found.states, wanted.states)
            ?? list("dimension", found.dimensions.map(text), wanted.dimensions.map(text))
            ?? constants(found, wanted)
            ?? list("function", found.functions.map(\.name), wanted.functions.map(\.name))
            ?? zip(found.functions, wanted.functions).lazy.compactMap { functions($0, $1) }.first
    }

    private static func states(_ found: [State], _ wanted: [State]) -> String? {
        list("state", found.map(text), wanted.map(text))
    }

    /// Callbacks append constants of their own, so the found graph may have more.
    private static func constants(_ found: Graph, _ wanted: Graph) -> String? {
        let own = found.constants.prefix(wanted.constants.count)
        if let names = list("constant", own.map(text), wanted.constants.map(text)) { return names }
        return zip(own, wanted.constants).first { !$0.bytes.elementsEqual($1.bytes) }
            .map { "constant '\($0.0.name)' has other values" }
    }

    private static func functions(_ found: Function, _ wanted: Function) -> String? {
        let edges = list("input", found.inputs.map(text), wanted.inputs.map(text))
            ?? list("output", found.outputs.map(text), wanted.outputs.map(text))
            ?? list("node", found.nodes.map(text), wanted.nodes.map(text))
        if let edges { return edges }
        for (a, b) in zip(found.nodes, wanted.nodes) {
            if a.inputs != b.inputs { return "node \(text(a)) reads other values" }
            if attributes(a) != attributes(b) { return "node \(text(a)) has other attributes" }
        }
        let sameUpdates = found.updates.map { [$0.state, $0.local] } == wanted.updates.map { [$0.state, $0.local] }
        let sameOutputs = found.outputs.map(\.operand) == wanted.outputs.map(\.operand)
        return sameUpdates && sameOutputs ? nil : "function '\(found.name)' has other results"
    }

    /// A node's attributes as a file holds them.
    private static func attributes(_ node: Node) -> [UInt8] {
        let wire = WireArena()
        let message = wire.message(apus__node__init) { (m: inout Apus__Node) in
            node.op.encode(to: &m, wire)
            m.operator_case = node.op.entry.code
        }
        var bytes = [UInt8](repeating: 0, count: apus__node__get_packed_size(message))
        apus__node__pack(message, &bytes)
        return bytes
    }

    private static func list(_ what: String, _ found: [String], _ wanted: [String]) -> String? {
        for (index, pair) in zip(found, wanted).enumerated() where pair.0 != pair.1 {
            return "\(what) \(index) is \(pair.0), wanted \(pair.1)"
        }
        guard found.count != wanted.count else { return nil }
        return "\(found.count) \(what)s, wanted \(wanted.count)"
            + (found.count > wanted.count
                ? ": \(found[wanted.count]) is new" : ": \(wanted[found.count]) is missing")
    }

    private static func text(_ constant: Constant) -> String { "'\(constant.name)' \(constant.type)" }
    private static func text(_ input: FunctionInput) -> String { "'\(input.name)' \(input.type)" }
    private static func text(_ output: FunctionOutput) -> String { "'\(output.name)' \(output.type)" }
    private static func text(_ state: State) -> String { "'\(state.name)' \(state.type)" }
    private static func text(_ symbol: SymbolicDimension) -> String {
        "'\(symbol.name)' \(symbol.minimum) ... \(symbol.maximum)"
    }
    private static func text(_ node: Node) -> String { "'\(node.name)' (\(node.op.name))" }
}
