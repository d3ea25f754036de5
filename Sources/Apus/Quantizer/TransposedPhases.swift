import ApusGraph

/// A transposed convolution of strides s over x as a convolution that makes s outputs along either axis at once, its phases.
///
/// Along an axis of n inputs, k taps and T = ⌈k/s⌉: y[q·s + r] = Σ_t x[q − t] · W[r + t·s], 0 ≤ r < s, 0 ≤ q < n + T − 1, before the padding
/// is cut off. So phase r is a convolution with T taps, W's of r + (T − 1)·s, …, r + s, r, those beyond k being 0.
struct TransposedPhases {
    let taps, strides: Size2D
    /// [taps, C, strides · O], row-major.
    let weights: Constant
    /// Of the image that the phases make, what is cut off before and after y.
    let before, after: Size2D

    /// nil where y reaches beyond the phases, and for dilations and groups. `x`, `y`: shapes.
    init?(_ op: ApusGraph.Conv2DTranspose, _ weights: Constant, x: Shape, y: Shape) throws(ApusError) {
        guard op.dilations == 1, op.groups == 1, weights.type.shape.rank == 4 else { return nil }
        let shape = weights.type.shape, kernel = Size2D(shape[0], shape[1]), strides = op.strides
        taps = Size2D((kernel.height + strides.height - 1) / strides.height, (kernel.width + strides.width - 1) / strides.width)
        self.strides = strides
        switch op.padding {
        case .valid: before = 0
        case .same: before = Size2D(max(0, kernel.height - strides.height) / 2, max(0, kernel.width - strides.width) / 2)
        case .explicit(let top, let left, _, _): before = Size2D(top, left)
        }
        after = Size2D(
            (x[1] + taps.height - 1) * strides.height - before.height - y[1],
            (x[2] + taps.width - 1) * strides.width - before.width - y[2])
        guard after.height >= 0 && after.width >= 0 else { return nil }
        let values = try weights.doubles(), outputs = shape[2], channels = shape[3]
        var result = [Double](repeating: 0, count: taps.height * taps.width * channels * strides.height * strides.width * outputs)
        for (i, value) in values.enumerated() {
            let c = i % channels, o = i / channels % outputs
            let (row, column) = (i / channels / outputs / kernel.width, i / channels / outputs % kernel.width)
            let tap = (taps.height - 1 - row / strides.height) * taps.width + taps.width - 1 - column / strides.width
            let phase = row % strides.height * strides.width + column % strides.width
            result[((tap * channels + c) * strides.height * strides.width + phase) * outputs + o] = value
        }
        self.weights = Constant(
            weights.name,
            TensorType(.f32, [taps.height, taps.width, channels, strides.height * strides.width * outputs]), doubles: result)
    }

    /// The convolution; what surrounds the image is taken in as far as its taps reach.
    func convolution(_ product: Product) -> Product? {
        let op = ApusGraph.Conv2D(
            padding: .explicit(
                top: taps.height - 1, left: taps.width - 1, bottom: taps.height - 1, right: taps.width - 1),
            hasBias: product.bias != nil, activation: product.activation)
        return Product(Node("", op, [product.x, product.weights] + [product.bias].compactMap { $0 }))
    }
}

extension IntegerTranslation {
    /// The phases on codes, then side by side. All phases of a channel have one scale, that of its weights.
    mutating func transposedProduct(
        _ product: Product, _ op: ApusGraph.Conv2DTranspose, _ site: IntegerSite
    ) throws(ApusError) -> Value? {
        guard case .local(let local) = product.x, isFixed(local, 1..<3), product.residual == nil,
            let weights = realConstant(product.weights), product.bias == nil || realConstant(product.bias) != nil,
            let phases = try TransposedPhases(op, weights, x: shape(local), y: site.type.shape),
            let convolution = phases.convolution(product)
        else { return nil }
        let count = phases.strides.height * phases.strides.width, outputs = site.type.shape[3], name = site.node.name
        let bias = try realConstant(product.bias)?.finiteDoubles() ?? []
        var floors = [Double](repeating: 0, count: outputs)
        for (i, value) in try weights.finiteDoubles().enumerated() {
            let o = product.outputChannel(ofWeight: i, weights.type.shape)
            floors[o] = max(floors[o], abs(value) / 127)
        }
        guard
            let parts = try self.product(
                convolution, phases.weights, [[Double]](repeating: bias, count: count).flatMap { $0 },
                floors: [[Double]](repeating: floors, count: count).flatMap { $0 }, site, name: "\(name)/phases")
        else { return nil }
        let y = site.type.shape, before = phases.before, isCut = before != 0 || phases.after != 0
        let size = Size2D(parts.shape[1] * phases.strides.height, parts.shape[2] * phases.strides.width)
        let split = try builder(
            ApusGraph.Reshape([0, parts.shape[1], parts.shape[2], phases.strides.height, phases.strides.width, outputs]), parts,
            name: "\(name)/split")
        let ordered = try builder(Transpose([0, 1, 3, 2, 4, 5]), split, name: "\(name)/ordered")
        let whole = try builder(
            ApusGraph.Reshape([0, size.height, size.width, outputs]), ordered, name: isCut ? "\(name)/whole" : name)
        guard isCut else { return whole }
        let ends = [before.height + y[1], before.width + y[2]]
        return try builder(Slice(axes: [1, 2], starts: [before.height, before.width], ends: ends), whole, name: name)
    }
}
