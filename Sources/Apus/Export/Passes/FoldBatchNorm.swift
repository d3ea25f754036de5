import ApusGraph

/// BatchNorm(product(x, W) + b) → product(x, W·s) + (b − mean)·s + beta with s = gamma/√(variance + ε), per output
/// channel, in double precision; a product times a vector likewise. Needs constants, and a product that nothing else reads;
/// a reshape that keeps the channels may stand between.
let foldBatchNormPass = RewritePass("fold-batch-norm", "product, then batch norm or times a vector → a product of scaled weights") {
    graph, _ throws(ApusError) in
    // Products that share all they are made of, such as those of two functions, share the scaled weights too.
    var folded: [(sources: [Operand], epsilon: Float?, weights: Operand, bias: Operand?)] = []
    return try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        for place in editor.nodes {
            guard let line = ChannelLine(editor[place], editor),
                case (let old, var product)? = editor.soleProduct(editor.beforeReshape(line.x)),
                product.activation == .none, product.residual == nil,
                let weights = editor.plainConstant(product.weights), weights.type.dtype == line.dtype,
                product.outputChannels(weights.type.shape) == line.channels
            else { continue }
            let bias = product.bias.flatMap { editor.plainConstant($0) }
            guard (bias == nil) == (product.bias == nil) else { continue }
            let sources = [product.weights] + [product.bias].compactMap { $0 } + line.sources
            if let same = folded.first(where: { $0.sources == sources && $0.epsilon == line.epsilon }) {
                (product.weights, product.bias) = (same.weights, same.bias)
            } else {
                let (scale, shift) = try line.coefficients(bias: try bias?.doubles())
                var values = try weights.doubles()
                for i in values.indices { values[i] *= scale[product.outputChannel(ofWeight: i, weights.type.shape)] }
                product.weights = graph.append(Constant(weights.name, weights.type, doubles: values))
                product.bias = shift.map {
                    graph.append(
                        Constant(bias?.name ?? "\(weights.name)/bias", TensorType(weights.type.dtype, [line.channels]), doubles: $0))
                }
                folded.append((sources, line.epsilon, product.weights, product.bias))
                weights.storage.discard()
            }
            if editor.maker(of: line.x) == old {
                editor.move(product, from: old, to: place)
            } else {
                guard editor.replace(editor.output(of: place), with: line.x) else { continue }
                editor[old] = product.node
                editor.remove(place)
            }
            changes += 1
        }
        return changes
    }
}

/// scale·x + shift by constants per channel, the last axis: a batch norm, or a product with a vector.
private struct ChannelLine {
    let x: Operand
    /// gamma, beta, mean and variance, or what is multiplied with.
    let sources: [Operand]
    let vectors: [Constant]
    let epsilon: Float?
    let channels: Int
    let dtype: DType

    init?(_ node: Node, _ editor: FunctionEditor) {
        if let norm = node.op as? ApusGraph.BatchNorm {
            (x, sources, epsilon) = (node.inputs[0], Array(node.inputs[1...]), norm.epsilon)
            vectors = sources.compactMap { editor.plainConstant($0) }
            guard vectors.count == 4 else { return nil }
        } else if node.op.code == Operator.mul.code {
            let order = editor.plainConstant(node.inputs[0]) == nil ? [0, 1] : [1, 0]
            (x, sources, epsilon) = (node.inputs[order[0]], [node.inputs[order[1]]], nil)
            let type = editor.type(of: x)
            guard type.shape.rank > 0, let vector = editor.vector(sources[0], type.shape.last),
                editor.plainConstant(sources[0])!.type.shape.rank <= type.shape.rank
            else { return nil }
            vectors = [vector]
        } else {
            return nil
        }
        (channels, dtype) = (vectors[0].type.shape.count, vectors[0].type.dtype)
        guard dtype == .f32 || dtype == .f64 else { return nil }
    }

    /// The scale, and what is added to a product whose bias is scaled; nil is nothing.
    func coefficients(bias: [Double]?) throws(ApusError) -> (scale: [Double], shift: [Double]?) {
        let first = try vectors[0].doubles()
        guard let epsilon else { return (first, bias.map { bias in first.indices.map { bias[$0] * first[$0] } }) }
        let (beta, mean, variance) = (try vectors[1].doubles(), try vectors[2].doubles(), try vectors[3].doubles())
        let scale = first.indices.map { first[$0] / (variance[$0] + Double(epsilon)).squareRoot() }
        return (scale, scale.indices.map { ((bias?[$0] ?? 0) - mean[$0]) * scale[$0] + beta[$0] })
    }
}

extension FunctionEditor {
    /// What a reshape that keeps the last axis is made of, where nothing else reads the reshape; else the value itself.
    fileprivate func beforeReshape(_ operand: Operand) -> Operand {
        guard readCount(of: operand) == 1, let source = node(operand, ApusGraph.Reshape([]))?.inputs[0],
            type(of: source).shape.rank > 0, type(of: operand).shape.rank > 0,
            type(of: source).shape.last == type(of: operand).shape.last,
            smallestType(of: source).shape.last == smallestType(of: operand).shape.last
        else { return operand }
        return source
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
