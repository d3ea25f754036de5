import ApusGraph

/// Every convolution is computed by the algorithm that costs least; by the direct one alone where `exact` or narrow
/// weights are asked for.
let chooseAlgorithmsPass = RewritePass("choose-algorithms", "3 × 3 convolution → Winograd's, where it costs less") {
    graph, options throws(ApusError) in
    let isWide = options.weights == nil || options.weights == .f32
    return try graph.chooseAlgorithms(exact: options.exact || !isWide)
}

extension Graph {
    /// Gives every convolution and every input gradient of one the algorithm that costs least, or the direct one if
    /// `exact`. Returns how many changed.
    ///
    /// Pictures count as large as they may be. Batches count as small as they may be, for a model that ships runs one
    /// sample at a time, or as large, for a step of training.
    func chooseAlgorithms(exact: Bool, largestBatch: Bool = false) throws(ApusError) -> Int {
        try rewriteFunctions { editor throws(ApusError) in
            var changes = 0
            for place in editor.nodes {
                let node = editor[place]
                guard let op = node.op as? any HasAlgorithm else { continue }
                let best = exact ? .direct : try editor.cheapestAlgorithm(op, of: place, largestBatch: largestBatch)
                guard best != op.algorithm else { continue }
                if case .constant(let i) = node.inputs[1] {
                    editor.graph.constants[i] = try Packing.unpack(editor.graph.constants[i])
                }
                editor[place] = Node(node.name, op.computed(by: best), node.inputs)
                changes += 1
            }
            return changes
        }
    }
}

/// An operator that can be computed by more than one algorithm.
protocol HasAlgorithm: Operator {
    var algorithm: ConvolutionAlgorithm { get }
    func computed(by algorithm: ConvolutionAlgorithm) -> Self
}

extension ApusGraph.Conv2D: HasAlgorithm {}
extension Conv2DInputGradient: HasAlgorithm {}

extension FunctionEditor {
    /// The algorithm that costs least of those that a node's shapes and types admit. One whose weights are stored for it
    /// already keeps it.
    fileprivate func cheapestAlgorithm(
        _ op: any HasAlgorithm, of place: Int, largestBatch: Bool
    ) throws(ApusError) -> ConvolutionAlgorithm {
        var inputs = self[place].inputs.map { type(of: $0) }
        if case .winogradPanels = inputs[1].layout { return op.algorithm }
        guard inputs[1].dtype == .f32 else { return .direct }
        inputs[1].layout = .plain
        let batch = (largestBatch ? type(of: output(of: place)) : smallestType(of: output(of: place))).shape[0]
        let result = type(of: output(of: place)).shape.replacing(0, with: batch)
        var packs = true
        if case .constant = self[place].inputs[1] { packs = false }
        let source = inputs[0].shape.replacing(0, with: batch)
        let cost = ConvolutionCost(
            source: source, result: result, tiled: op is Conv2DInputGradient ? source : result, packs: packs)
        return cost.cheapest(
            among: ConvolutionCost.candidates.filter { (try? op.computed(by: $0).outputTypes(inputs)) != nil })
    }
}
