import ApusGraph

/// Where the integer graph of a network rounds, told by the nodes that the network's layers emit.
///
/// The rules are those of `IntegerTranslation`: it is run once over codes that differ from value to value, and what carries
/// them in its result is a place.
struct IntegerPlaces {
    /// Per local of the prepared graph the place whose range its codes come from; nil for what is never rounded by itself.
    let places: [String?]
    /// Places in order: an input, or a node's output that is rounded. Behind a product they stand after the batch norm,
    /// the sum and the activation that become part of it.
    let values: [String]
    /// Nodes whose weights are rounded.
    let products: Set<String>
    /// Recurrent layers whose state is multiplied by integers.
    let states: Set<String>
    /// Nodes that read rows of a table of integers.
    let tables: Set<String>
    /// Elements of each value for one sample.
    let elements: [String: Int]

    init(_ network: Network, keepFloat: Set<String>) throws(ApusError) {
        let source = try network.inferenceGraph()
        let prepared = try Quantizer.prepared(source, keepsLayout: true)
        let names = Set(prepared.functions[0].nodes.map { $0.name })
        for name in keepFloat.sorted() where !names.contains(name) { throw .argument("no node '\(name)' to keep real") }
        let types = try ValidGraph(validating: prepared).types(ofFunction: 0, dimensions: prepared.maxima)
        let probes: [CodeScale?] = types.indices.map { local in
            types[local].dtype == .f32 ? CodeScale(scale: 1 + Float(local) * 0x1p-12) : nil
        }
        var translation = try IntegerTranslation(prepared, codes: probes, keepFloat: keepFloat)
        let integers = try translation.run()
        _ = try Quantizer.quantizeRest(of: integers, keepFloat: keepFloat)
        let rest = integers.functions[0].nodes
        states = Set(rest.filter { ($0.op as? RecurrentLayer)?.stateProduct.op != nil }.map { $0.name })
        tables = Set(rest.filter { $0.op is WeightOnlyGather }.map { $0.name })
        let origins = try Origins(of: prepared, in: source)
        var places = [String?](repeating: nil, count: types.count)
        var elements: [String: Int] = [:]
        for local in types.indices where probes[local] != nil && translation.ownCodes(local) == probes[local] {
            guard let origin = origins.names[local] else {
                throw .unsupported("quantization-aware training of value \(local), which no layer of network '\(network.name)' makes")
            }
            places[local] = origin
            elements[origin] = types[local].shape.product(1..<max(1, types[local].shape.rank))
        }
        self.places = places
        values = places.compactMap { $0 }
        products = Set(prepared.functions[0].nodes.filter { Product($0) != nil }.map { $0.name })
            .intersection(translation.integerNodes)
        self.elements = elements
    }
}

/// Per local of a prepared graph the node, or the input, of the graph it was made from that makes the same value.
private struct Origins {
    private(set) var names: [String?]
    private let editor: FunctionEditor
    private let prepared: Set<String>

    init(of graph: Graph, in source: Graph) throws(ApusError) {
        editor = try FunctionEditor(try ValidGraph(validating: source), function: 0)
        let function = graph.functions[0]
        prepared = Set(function.nodes.map { $0.name })
        names = function.inputs.map { $0.name }
        var starts: [String: Int] = [:]
        for place in editor.nodes { starts[editor[place].name] = place }
        for node in function.nodes {
            let split = "/activation"
            var place = starts[node.name]
            if let start = place, let product = Product(node) {
                place = end(of: product, from: start)
            } else if node.name.hasSuffix(split), let start = starts[String(node.name.dropLast(split.count))],
                let product = Product(editor[start])
            {
                // An activation that codes cannot express, which stood in a product.
                place = reader(end(of: product, from: start))
            }
            for output in 0..<max(1, node.op.outputCount) {
                names.append(place.map { QuantizationAwareness.place(editor[$0].name, output: output) })
            }
        }
    }

    /// The only node that reads the first output of another.
    private func reader(_ place: Int) -> Int? {
        let value = editor.output(of: place)
        guard editor.readCount(of: value) == 1 else { return nil }
        return editor.nodes.first { editor[$0].inputs.contains(value) }
    }

    /// The last of the nodes that became part of a product.
    private func end(of product: Product, from start: Int) -> Int {
        var place = start
        while let next = reader(place), !prepared.contains(editor[next].name) {
            let node = editor[next]
            switch node.op {
            case is ApusGraph.BatchNorm: break
            case let op where op.code == Operator.add.code:
                let isBias = node.inputs.contains { if case .constant = $0 { true } else { false } }
                guard isBias || product.residual != nil else { return place }
            case is ActivationOperator:
                return product.activation == .none ? place : next
            default: return place
            }
            place = next
        }
        return place
    }
}
