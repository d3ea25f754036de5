import ApusGraph
import Foundation

/// Which nodes compute on codes, and how: Docs/Quantization.md.
extension IntegerTranslation {
    /// The outputs of a node on codes, or real where nothing reads them as codes; nil where the node stays real.
    mutating func integerNode(_ site: IntegerSite) throws(ApusError) -> [Value]? {
        guard let form = integerForm(site.node) else { return nil }
        switch form {
        case .product(let product): return try self.product(product, site).map { [$0] }
        case .transposedProduct(let product, let op): return try transposedProduct(product, op, site).map { [$0] }
        case .concatenation: return try concatenation(site).map { [$0] }
        case .average(let pool):
            return try average(site) { codes in
                QuantizedAvgPool(
                    kernel: pool.kernel, strides: pool.strides, padding: pool.padding, countsPadding: pool.countsPadding,
                    output: codes)
            }
        case .mean: return try average(site) { QuantizedAvgPool(globalOutput: $0) }
        case .greatest(let kernel): return try overImage(site, MaxPool(kernel: kernel))
        case .movement: return try movement(site)
        case .sum: return try elementwise(site) { QuantizedAdd(output: $0) }
        case .difference: return try difference(site)
        case .multiplication: return try elementwise(site) { QuantizedMul(output: $0) }
        case .function(let place, let f): return try function(site, place, f)
        }
    }

    // MARK: Products

    private mutating func product(_ product: Product, _ site: IntegerSite) throws(ApusError) -> Value? {
        guard let weights = realConstant(product.weights), product.bias == nil || realConstant(product.bias) != nil else { return nil }
        return try self.product(product, weights, realConstant(product.bias)?.finiteDoubles() ?? [], site, name: site.node.name)
    }

    /// `floors`: the least scale of each column of weights.
    mutating func product(
        _ product: Product, _ weights: Constant, _ bias: [Double], floors: [Double] = [], _ site: IntegerSite, name: String
    ) throws(ApusError) -> Value? {
        guard let x = try integer(product.x), let from = CodeScale(x.type), product.activation.isBounded,
            weights.type.shape.product(0..<weights.type.shape.rank - 1) <= QuantizedProduct.maximumDepth
        else { return nil }
        let isReal = site.isLeaf && product.residual == nil && product.activation == .none
        guard isReal || site.output != nil else { return nil }
        let to = isReal ? nil : site.output
        // So that no bias leaves the range of 32 bits.
        let limits = bias.map { abs($0) / (Double(from.scale) * 0x1p30) }
        let codes = try WeightCodes(
            weights, floors: floors.isEmpty || limits.isEmpty ? floors + limits : zip(floors, limits).map { max($0, $1) })
        var biases = bias
        if let drift = try drift(of: codes, weights, product) {
            biases = zip(biases.isEmpty ? drift.map { _ in 0 } : biases, drift).map { $0 - $1 }
        }
        let folded = zip(codes.scales.indices, codes.sums).map { column, sum in
            let unit = Double(from.scale) * Double(codes.scales[column])
            let bias = biases.isEmpty ? 0 : min(max((biases[column] / unit).rounded(.toNearestOrEven), -0x1p31), 0x1p31 - 1)
            return Int32(truncatingIfNeeded: Int(bias) - (Int(from.zeroPoint) + 128) * sum)
        }
        let multipliers = codes.scales.map { Float(Double(from.scale) * Double($0) / Double(to?.scale ?? 1)) }
        var inputs = [
            x, append(codes.constant(weights.name)), append(Constant("\(weights.name)/folded", integers: folded)),
            append(Constant("\(weights.name)/multipliers", floats: multipliers)),
        ]
        if let residual = product.residual {
            guard let value = try integer(residual) else { return nil }
            inputs.append(value)
        }
        let bounds = to.map { CodeBounds(product.activation, $0) } ?? CodeBounds()
        let op: Operator
        if let c = product.node.op as? ApusGraph.Conv2D {
            op = QuantizedConv2D(
                strides: c.strides, dilations: c.dilations, padding: c.padding, groups: c.groups, output: to, bounds: bounds,
                hasResidual: product.residual != nil)
        } else {
            op = QuantizedDense(output: to, bounds: bounds, hasResidual: product.residual != nil)
        }
        return try builder.node(op, inputs, name: name)[0]
    }

    /// What each output's mean moves by when its weights are rounded: Σ (ŵ − w) · the mean of the input.
    private func drift(
        of codes: WeightCodes, _ weights: Constant, _ product: Product
    ) throws(ApusError) -> [Double]? {
        guard case .local(let local) = product.x, local < channelMeans.count, let means = channelMeans[local] else { return nil }
        let columns = codes.scales.count
        var drift = [Double](repeating: 0, count: columns)
        for (i, weight) in try weights.doubles().enumerated() {
            let channel = product.inputChannel(ofWeight: i, weights.type.shape)
            guard channel < means.count else { return nil }
            drift[i % columns] += (Double(codes.scales[i % columns]) * Double(codes.codes[i]) - weight) * means[channel]
        }
        return drift
    }

    // MARK: What moves or compares elements

    private func movement(_ site: IntegerSite) throws(ApusError) -> [Value]? {
        guard let x = existingCodes(site.node.inputs[0]) else { return nil }
        let others = site.node.inputs.dropFirst()
        guard others.allSatisfy({ if case .constant = $0 { true } else { false } }) else { return nil }
        return try builder.node(site.node.op, [x] + others.map { builder.value($0) }, name: site.node.name)
    }

    private mutating func concatenation(_ site: IntegerSite) throws(ApusError) -> Value? {
        guard let to = site.output, site.node.inputs.contains(where: { existingCodes($0) != nil }) else { return nil }
        var parts: [Value] = []
        for operand in site.node.inputs {
            guard let value = try integer(operand) else { return nil }
            parts.append(try rescaled(value, to: to))
        }
        return try builder.node(site.node.op, parts, name: site.node.name)[0]
    }

    // MARK: Arithmetic

    private func average(_ site: IntegerSite, _ op: (CodeScale) -> Operator) throws(ApusError) -> [Value]? {
        guard let to = site.output else { return nil }
        return try overImage(site, op(to))
    }

    /// A pool over images, or over what is seen as images of width 1; in the shape of the node's output.
    private func overImage(_ site: IntegerSite, _ op: Operator) throws(ApusError) -> [Value]? {
        guard let x = existingCodes(site.node.inputs[0]) else { return nil }
        if x.shape.rank == 4 && site.type.shape.rank == 4 {
            return try builder.node(op, [x], name: site.node.name)
        }
        let image = x.shape.rank == 4 ? x : try builder(ApusGraph.Reshape([0, 0, 1, x.shape.last]), x, name: "\(site.node.name)/image")
        // The one that rounds has the node's name; the reshape may become part of another.
        let pooled = try builder(op, image, name: site.node.name)
        let shape = [0] + [Int](repeating: 1, count: site.type.shape.rank - 2) + [x.shape.last]
        return [try builder(ApusGraph.Reshape(shape), pooled, name: "\(site.node.name)/shape")]
    }

    private mutating func elementwise(_ site: IntegerSite, _ op: (CodeScale) -> Operator) throws(ApusError) -> [Value]? {
        guard let to = site.output, site.node.inputs.contains(where: { existingCodes($0) != nil }) else { return nil }
        var parts: [Value] = []
        for operand in site.node.inputs {
            guard let value = try integer(operand) else { return nil }
            parts.append(value)
        }
        return try builder.node(op(to), parts, name: site.node.name)
    }

    /// a − b: b's codes are turned over, −s·(q − z) = s·((−1 − q) − (−1 − z)).
    private mutating func difference(_ site: IntegerSite) throws(ApusError) -> [Value]? {
        let operands = site.node.inputs
        guard let to = site.output, operands.contains(where: { existingCodes($0) != nil }), let a = try integer(operands[0])
        else { return nil }
        let turned: Value
        if let constant = realConstant(operands[1]) {
            turned = try constantCodes(constant) { -$0 }
        } else {
            guard let b = try integer(operands[1]), let from = CodeScale(b.type) else { return nil }
            turned = try lookup(b, from, CodeScale(scale: from.scale, zeroPoint: -1 - from.zeroPoint)) { -$0 }
        }
        return try builder.node(QuantizedAdd(output: to), [a, turned], name: site.node.name)
    }

    private func function(_ site: IntegerSite, _ place: Int, _ f: (Double) -> Double) throws(ApusError) -> [Value]? {
        guard let x = existingCodes(site.node.inputs[place]), let from = CodeScale(x.type), site.isLeaf || site.output != nil
        else { return nil }
        return [try lookup(x, from, site.isLeaf ? nil : site.output, name: site.node.name, f)]
    }
}
