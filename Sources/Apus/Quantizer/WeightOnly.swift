import ApusGraph

/// Dense layers with integer weights and real activations, or activations that are quantized when they run.
enum WeightOnly {
    /// Replaces the dense layers of a plain graph whose weights are constants; returns how many. Layers named in
    /// `keepFloat`, or of fewer than 32 rows, stay.
    static func quantize(
        _ graph: Graph, _ scheme: QuantizationScheme, block: Int, keepFloat: Set<String>
    ) throws(ApusError) -> Int {
        try graph.rewriteFunctions { editor throws(ApusError) in
            var changes = 0
            for place in editor.nodes {
                let node = editor[place]
                guard node.op is ApusGraph.Dense, !keepFloat.contains(node.name), let product = Product(node),
                    let weights = editor.plainConstant(product.weights),
                    weights.type.dtype == .f32, weights.type.shape[0] >= 32,
                    scheme != .int8Dynamic || weights.type.shape[0] <= QuantizedProduct.maximumDepth
                else { continue }
                let (op, constants) = try replacement(weights, product, scheme, block: block)
                editor[place] = Node(
                    node.name, op, [product.x] + constants.map { graph.append($0) } + [product.bias, product.residual].compactMap { $0 })
                changes += 1
            }
            return changes
        }
    }

    private static func replacement(
        _ weights: Constant, _ product: Product, _ scheme: QuantizationScheme, block: Int
    ) throws(ApusError) -> (Operator, [Constant]) {
        let hasBias = product.bias != nil, hasResidual = product.residual != nil
        let op: Operator = scheme == .int8Dynamic
            ? DynamicDense(hasBias: hasBias, hasResidual: hasResidual, activation: product.activation)
            : WeightOnlyDense(
                blockSize: scheme.isNarrow ? block : 0, hasBias: hasBias, hasResidual: hasResidual, activation: product.activation,
                dynamicActivations: scheme == .w4Dynamic)
        return (op, try constants(weights, scheme, block: block))
    }

    /// Weights [K, N] as the inputs of a DynamicDense, of a WeightOnlyDense in the other schemes: codes, and what belongs to them.
    static func constants(_ weights: Constant, _ scheme: QuantizationScheme, block: Int) throws(ApusError) -> [Constant] {
        let name = weights.name
        if scheme == .int8Dynamic {
            let codes = try WeightCodes(weights)
            let folded = codes.sums.map { Int32(-128 * $0) }
            return [
                codes.plainConstant(name, .i8), Constant("\(name)/folded", integers: folded),
                Constant("\(name)/scales", floats: codes.scales),
            ]
        }
        let isNarrow = scheme.isNarrow, rows = weights.type.shape[0]
        let codes = try WeightCodes(weights, block: isNarrow ? block : rows, limit: isNarrow ? 7 : 127)
        let scales = try Tensor(codes.scales, shape: [codes.scales.count / codes.shape[1], codes.shape[1]])
        return [
            codes.plainConstant(name, isNarrow ? .i4 : .i8), try scales.converted(to: .f16).constant("\(name)/scales"),
        ]
    }
}
