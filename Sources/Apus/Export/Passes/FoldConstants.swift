import ApusGraph
import ApusRuntime
import CKernels

/// f(constants) → the constant it is, as the reference kernels compute it, so that a file does not depend on the machine
/// that wrote it. A result much larger than what it is made of stays a node.
let foldConstantsPass = RewritePass("fold-constants", "a node of constants only → its value") {
    graph, _ throws(ApusError) in
    try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        for place in editor.nodes {
            let node = editor[place]
            let outputs = (0..<node.op.outputCount).map { editor.output(of: place, $0) }
            var inputs: [Constant] = []
            for case .constant(let i) in node.inputs { inputs.append(graph.constants[i]) }
            // What a node measures of constants, another node's shape is.
            guard !inputs.isEmpty, inputs.count == node.inputs.count, node.op.measuredDimension == nil,
                outputs.reduce(0, { $0 + editor.type(of: $1).byteSize }) <= sizeLimit(inputs)
            else { continue }
            for (output, value) in zip(outputs, try values(of: node, inputs)) {
                if editor.replace(output, with: graph.append(value)) { changes += 1 }
            }
            if editor.isUnread(place) { editor.remove(place) }
        }
        return changes
    }
}

private func sizeLimit(_ inputs: [Constant]) -> Int { inputs.reduce(4096) { $0 + $1.type.byteSize } }

/// The outputs of one node. A transposed constant is made when it is read: most are packed from where they lie.
private func values(of node: Node, _ inputs: [Constant]) throws(ApusError) -> [Constant] {
    if let transpose = node.op as? Transpose, inputs[0].type.byteSize > 4096 {
        return [try LazyStorage.transpose(inputs[0], transpose, name: node.name)]
    }
    let values = try evaluate(node, inputs)
    for input in inputs { input.storage.discard() }
    return values
}

/// The outputs of one node, run as a graph of its own.
private func evaluate(_ node: Node, _ inputs: [Constant]) throws(ApusError) -> [Constant] {
    let graph = Graph(node.name)
    let builder = GraphBuilder(graph, function: "fold")
    graph.constants = inputs
    let values = try builder.node(node.op, inputs.indices.map { builder.constant($0) }, name: node.name)
    for (i, value) in values.enumerated() { builder.output("output_\(i)", value) }
    builder.finish()
    var options = SessionOptions()
    options.isa = CK_ISA_REFERENCE
    let session = try Session(try ApusRuntime.Model(graph), options)
    defer { session.destroy() }
    try session.run()
    var results: [Constant] = []
    for (i, value) in values.enumerated() {
        let storage = HeapStorage(size: value.type.byteSize)
        try session.getOutput(i, UnsafeMutableRawBufferPointer(start: storage.memory, count: value.type.byteSize))
        results.append(Constant(values.count == 1 ? node.name : "\(node.name)_\(i)", value.type, storage))
    }
    return results
}
