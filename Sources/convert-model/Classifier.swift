import ApusGraph

/// The class that the first output of a graph's first function says of one sample: the place of its greatest element; or of
/// a single element whether it lies above 1/2 after a sigmoid, above 0 otherwise.
struct Classifier {
    let classes: Range<Int>
    private let threshold: Double

    /// nil where the output has no fixed number of elements for a sample.
    init?(_ graph: Graph) {
        let function = graph.functions[0]
        guard let output = function.outputs.first else { return nil }
        var extents = output.type.shape.dimensions[...]
        if let first = extents.first, first < 0 || first == 1 { extents = extents.dropFirst() }
        guard extents.allSatisfy({ $0 > 0 }) else { return nil }
        classes = 0..<max(2, extents.reduce(1, *))
        threshold = extents.reduce(1, *) > 1 ? .nan : Classifier.endsInSigmoid(function) ? 0.5 : 0
    }

    func predicted(_ output: [Double]) -> Int? {
        output.count == 1 ? (output[0] > threshold ? 1 : 0) : output.indices.max { output[$0] < output[$1] }
    }

    /// Whether the first output is made by a sigmoid and what moves its elements.
    private static func endsInSigmoid(_ function: Function) -> Bool {
        var makers: [Node] = []
        for node in function.nodes { makers += [Node](repeating: node, count: node.op.outputCount) }
        var operand = function.outputs[0].operand
        while case .local(let local) = operand, local >= function.inputs.count {
            let node = makers[local - function.inputs.count]
            if node.op.name == "Sigmoid" { return true }
            guard node.op is Reshape || node.op is Flatten, let next = node.inputs.first else { return false }
            operand = next
        }
        return false
    }
}
