import ApusGraph

let controlFlowOperators: [OnnxOperator] = [
    OnnxOperator("If", isPure: false, conditional)
]

/// The branch that is taken, where the condition is known. Else both are computed, and chosen from element by element:
/// then they must be of one type.
private func conditional(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    if n.isKnown(0) {
        let isTrue = try n.number(0) != 0
        return try n.importer.outputs(of: try n.subgraph(isTrue ? "then_branch" : "else_branch"), n.scope)
    }
    let condition = try n.term(0)
    guard condition.shapes.allSatisfy({ $0.count == 1 }) else {
        throw .shape("a condition of shape \(condition.shape), wanted one truth value")
    }
    let flag = try n.g.reshape(condition, [])
    let yes = try n.importer.outputs(of: try n.subgraph("then_branch"), n.scope)
    let no = try n.importer.outputs(of: try n.subgraph("else_branch"), n.scope)
    guard yes.count == no.count else { throw .file("branches of \(yes.count) and \(no.count) outputs") }
    var results: [ImportedValue] = []
    for (a, b) in zip(yes, no) {
        let a = try n.term(a), b = try n.term(b)
        guard a.types == b.types else {
            throw .unsupported("branches that give \(a.types[0]) and \(b.types[0]) under a condition of run time")
        }
        results.append(ImportedValue(try n.g.select(flag, a, b)))
    }
    return results
}

extension Importer {
    /// Imports a graph that stands in an attribute. Names of the graph around it are seen; `inputs` are its own.
    func outputs(
        of graph: OnnxGraph, _ outer: Scope, inputs: [ImportedValue] = []
    ) throws(ApusError) -> [ImportedValue] {
        let scope = Scope(operatorSets: outer.operatorSets, parent: outer)
        guard graph.inputs.count == inputs.count else {
            throw .file("a graph of \(graph.inputs.count) inputs, wanted \(inputs.count)")
        }
        for (formal, value) in zip(graph.inputs, inputs) { scope.values[formal.name] = .value(value) }
        for tensor in graph.initializers { define(tensor, in: scope) }
        let known = blocks.count
        try importNodes(graph.nodes, scope)
        guard blocks.count == known else { throw .unsupported("its graph holds nodes that are not supported") }
        var results: [ImportedValue] = []
        for output in graph.outputs {
            switch scope.find(output.name) {
            case .value(let value): results.append(value)
            case nil: throw .file("no node makes '\(output.name)'")
            default: throw .unsupported("output '\(output.name)' of a type that Apus does not have")
            }
        }
        return results
    }
}
