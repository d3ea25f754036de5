import ApusGraph
import Foundation

/// Which nodes compute on codes, and how: Docs/Quantization.md.
extension IntegerTranslation {
    /// The outputs of a node on codes, or of a product real where nothing but the function's outputs reads it; nil where the
    /// node stays real.
    mutating func integerNode(_ site: IntegerSite) throws(ApusError) -> [Value]? {
        let node = site.node
        if let product = Product(node) { return try self.product(product, site).map { [$0] } }
        switch node.op {
        case is ApusGraph.Concat: return try concatenation(site).map { [$0] }
        case let pool as AvgPool:
            return try average(site) { codes in
                QuantizedAvgPool(
                    kernel: pool.kernel, strides: pool.strides, padding: pool.padding, countsPadding: pool.countsPadding,
                    output: codes)
            }
        case let mean as Reduction where isImageMean(mean, site): return try imageMean(site)
        default: break
        }
        if node.op.movesElements { return try movement(site) }
        if node.op.code == Operator.add.code { return try elementwise(site) { QuantizedAdd(output: $0) } }
        if node.op.code == Operator.mul.code { return try elementwise(site) { QuantizedMul(output: $0) } }
        if let f = node.op.scalarFunction { return try function(site, f) }
        return nil
    }

    // MARK: Products

    private mutating func product(_ product: Product, _ site: IntegerSite) throws(ApusError) -> Value? {
        guard site.node.op is ApusGraph.Conv2D || site.node.op is ApusGraph.Dense,
            let weights = realConstant(product.weights), let x = try integer(product.x), let from = CodeScale(x.type),
            product.activation.isBounded, product.bias == nil || realConstant(product.bias) != nil,
            weights.type.shape.product(0..<weights.type.shape.rank - 1) <= QuantizedProduct.maximumDepth
        else { return nil }
        let isReal = site.isLeaf && product.residual == nil && product.activation == .none
        guard isReal || site.output != nil else { return nil }
        let to = isReal ? nil : site.output
        var biases = try realConstant(product.bias)?.finiteDoubles() ?? []
        // So that no bias leaves the range of 32 bits.
        let floors = biases.map { abs($0) / (Double(from.scale) * 0x1p30) }
        let codes = try WeightCodes(weights, floors: floors)
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
        switch site.node.op {
        case let c as ApusGraph.Conv2D:
            op = QuantizedConv2D(
                strides: c.strides, dilations: c.dilations, padding: c.padding, groups: c.groups, output: to, bounds: bounds,
                hasResidual: product.residual != nil)
        case is ApusGraph.Dense:
            op = QuantizedDense(output: to, bounds: bounds, hasResidual: product.residual != nil)
        default: return nil
        }
        return try builder.node(op, inputs, name: site.node.name)[0]
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
        guard let to = site.output, let x = existingCodes(site.node.inputs[0]) else { return nil }
        return try builder.node(op(to), [x], name: site.node.name)
    }

    /// A mean over height and width.
    private func isImageMean(_ mean: Reduction, _ site: IntegerSite) -> Bool {
        guard case .local(let local) = site.node.inputs[0], rank(local) == 4 else { return false }
        if mean.code == Reduction(.globalAvgPool).code { return true }
        return mean.code == Reduction(.mean).code && Set(mean.axes.map { ($0 + 4) % 4 }) == [1, 2]
    }

    private func imageMean(_ site: IntegerSite) throws(ApusError) -> [Value]? {
        guard let to = site.output, let x = existingCodes(site.node.inputs[0]) else { return nil }
        let pooled = try builder(QuantizedAvgPool(globalOutput: to), x, name: "\(site.node.name)/pool")
        let shape = site.type.shape.rank == 2 ? [0, x.shape[3]] : [0, 1, 1, x.shape[3]]
        return [try builder(ApusGraph.Reshape(shape), pooled, name: site.node.name)]
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

    private func function(_ site: IntegerSite, _ f: (Double) -> Double) throws(ApusError) -> [Value]? {
        guard let to = site.output, let x = existingCodes(site.node.inputs[0]), let from = CodeScale(x.type) else { return nil }
        return [try lookup(x, from, to, name: site.node.name, f)]
    }
}

extension Operator {
    /// Whether the outputs are elements of the first input, so that its codes are theirs.
    fileprivate var movesElements: Bool {
        switch self {
        case is ApusGraph.Reshape, is ApusGraph.Flatten, is Transpose, is Slice, is Split, is Expand, is MaxPool:
            true
        case let pad as Pad: pad.value == 0
        default: false
        }
    }

    /// f of an operator that computes f of every element.
    fileprivate var scalarFunction: ((Double) -> Double)? {
        if let op = self as? ActivationOperator { return op.activation.scalarFunction }
        return nil
    }
}

extension Activation {
    /// The formula of docs and reference, in double.
    fileprivate var scalarFunction: (Double) -> Double {
        func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        return switch self {
        case .none: { $0 }
        case .relu: { max($0, 0) }
        case .relu6: { min(max($0, 0), 6) }
        case .leakyRelu(let alpha): { $0 < 0 ? Double(alpha) * $0 : $0 }
        case .elu(let alpha): { $0 < 0 ? Double(alpha) * expm1($0) : $0 }
        case .sigmoid: sigmoid
        case .tanh: { Foundation.tanh($0) }
        case .gelu: { $0 * 0.5 * erfc(-$0 * 0.5.squareRoot()) }
        case .geluTanh: { $0 * sigmoid(2 * (2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0)) }
        case .silu: { $0 * sigmoid($0) }
        case .hardSwish: { $0 * min(max($0 + 3, 0), 6) / 6 }
        case .softplus: { max($0, 0) + log1p(exp(-abs($0))) }
        case .clip(let low, let high): { min(max($0, Double(low)), Double(high)) }
        }
    }
}
