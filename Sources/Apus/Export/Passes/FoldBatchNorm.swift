import ApusGraph

/// BatchNorm(product(x, W) + b) → product(x, W·s) + (b − mean)·s + beta with s = gamma/√(variance + ε), per output
/// channel, in double precision. Needs constants, and a product that nothing else reads.
let foldBatchNormPass = RewritePass("fold-batch-norm", "product, then batch norm → a product of scaled weights") {
    graph, _ throws(ApusError) in
    // Products that share all they are made of, such as those of two functions, share the scaled weights too.
    var folded: [(sources: [Operand], epsilon: Float, weights: Operand, bias: Operand)] = []
    return try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        for place in editor.nodes {
            guard let norm = editor[place].op as? ApusGraph.BatchNorm,
                case (let old, var product)? = editor.soleProduct(editor[place].inputs[0]),
                product.activation == .none, product.residual == nil,
                let weights = editor.plainConstant(product.weights)
            else { continue }
            let sources = [product.weights] + [product.bias].compactMap { $0 } + editor[place].inputs[1...]
            if let same = folded.first(where: { $0.sources == sources && $0.epsilon == norm.epsilon }) {
                (product.weights, product.bias) = (same.weights, same.bias)
                editor.move(product, from: old, to: place)
                changes += 1
                continue
            }
            let bias = product.bias.flatMap { editor.plainConstant($0) }
            let vectors = editor[place].inputs[1...].compactMap { editor.plainConstant($0) }
            guard vectors.count == 4, (bias == nil) == (product.bias == nil) else { continue }
            let channels = product.outputChannels(weights.type.shape)
            let (gamma, beta, mean, variance) =
                (try vectors[0].doubles(), try vectors[1].doubles(), try vectors[2].doubles(), try vectors[3].doubles())
            let oldBias = try bias?.doubles() ?? [Double](repeating: 0, count: channels)
            let scale = (0..<channels).map { gamma[$0] / (variance[$0] + Double(norm.epsilon)).squareRoot() }
            var values = try weights.doubles()
            for i in values.indices { values[i] *= scale[product.outputChannel(ofWeight: i, weights.type.shape)] }
            let scaled = graph.append(Constant(weights.name, weights.type, doubles: values))
            let shifted = graph.append(
                Constant(
                    bias?.name ?? "\(weights.name)/bias", vectors[1].type,
                    doubles: (0..<channels).map { (oldBias[$0] - mean[$0]) * scale[$0] + beta[$0] }))
            (product.weights, product.bias) = (scaled, shifted)
            folded.append((sources, norm.epsilon, scaled, shifted))
            weights.storage.discard()
            editor.move(product, from: old, to: place)
            changes += 1
        }
        return changes
    }
}

extension Constant {
    /// The elements of a plain f32 or f64 constant.
    func doubles() throws(ApusError) -> [Double] {
        switch type.dtype {
        case .f32: bytes.bindMemory(to: Float.self).map { Double($0) }
        case .f64: Array(bytes.bindMemory(to: Double.self))
        default: throw .unsupported("'\(name)' of \(type), wanted f32 or f64")
        }
    }

    /// A plain constant of f32 or f64, by its type.
    init(_ name: String, _ type: TensorType, doubles: [Double]) {
        let storage =
            type.dtype == .f64
            ? doubles.withUnsafeBytes { HeapStorage($0) } : doubles.map { Float($0) }.withUnsafeBytes { HeapStorage($0) }
        self.init(name, type, storage)
    }
}
