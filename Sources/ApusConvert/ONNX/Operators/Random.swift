import ApusGraph

/// Random numbers: of the node's seed, or of 0; the same file gives the same numbers run after run of a new session. Nodes
/// differ by their stream, runs by a counter that is a state.
let randomOperators: [OnnxOperator] = [
    OnnxOperator("RandomUniform", isPure: false) { n throws(ApusError) in try fromAttributes(n, .uniform) },
    OnnxOperator("RandomNormal", isPure: false) { n throws(ApusError) in try fromAttributes(n, .normal) },
    OnnxOperator("RandomUniformLike", isPure: false) { n throws(ApusError) in try likeInput(n, .uniform) },
    OnnxOperator("RandomNormalLike", isPure: false) { n throws(ApusError) in try likeInput(n, .normal) },
    OnnxOperator("Bernoulli", isPure: false, bernoulli),
]

private enum Distribution {
    case uniform, normal
}

private func fromAttributes(_ n: NodeContext, _ distribution: Distribution) throws(ApusError) -> [ImportedValue] {
    guard let shape = try n.ints("shape") else { throw .file("no attribute 'shape', wanted integers") }
    let shapes = [[Int]](repeating: shape, count: n.g.samples.count)
    return [ImportedValue(try numbers(n, distribution, shapes, try n.elementType("dtype", .f32)))]
}

private func likeInput(_ n: NodeContext, _ distribution: Distribution) throws(ApusError) -> [ImportedValue] {
    let types = try n.types(0)
    return [
        ImportedValue(
            try numbers(n, distribution, types.map { $0.shape.dimensions }, try n.elementType("dtype", types[0].dtype)))
    ]
}

/// 1 with the probability that x says.
private func bernoulli(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let x = try n.g.widened(try n.term(0), .real)
    let uniform = try n.g.cast(
        try n.g.random(x.shapes.map { $0.dimensions }, seed: try seed(n)) { RandomUniform($0, source: $1) }, to: x.dtype)
    return [ImportedValue(try n.g.cast(try n.g.less(uniform, x), to: try n.elementType("dtype", try n.dtype(0))))]
}

private func numbers(
    _ n: NodeContext, _ distribution: Distribution, _ shapes: [[Int]], _ dtype: DType
) throws(ApusError) -> Term {
    let first: Float, second: Float
    switch distribution {
    case .uniform: (first, second) = (try n.float("low", 0), try n.float("high", 1))
    case .normal: (first, second) = (try n.float("mean", 0), try n.float("scale", 1))
    }
    let y = try n.g.random(shapes, seed: try seed(n)) { shape, source in
        distribution == .uniform
            ? RandomUniform(shape, source: source, low: first, high: second)
            : RandomNormal(shape, source: source, mean: first, deviation: second)
    }
    return try n.g.cast(y, to: dtype)
}

/// ONNX's seed is a number of any kind; its bits are the seed.
private func seed(_ n: NodeContext) throws(ApusError) -> UInt64 {
    n.hasAttribute("seed") ? UInt64(try n.float("seed").bitPattern) : 0
}

extension Emitter {
    /// Random numbers of f32 in a shape given per sample.
    fileprivate func random(
        _ shapes: [[Int]], seed: UInt64, _ make: ([Int], RandomSource) -> Operator
    ) throws(ApusError) -> Term {
        let counter = try randomCounter()
        let stream = UInt32(truncatingIfNeeded: builder.function.nodes.count)
        let largest = shapes[0].indices.map { axis in shapes.map { $0[axis] }.max()! }
        var y = try self(make(largest, RandomSource(seed: seed, stream: stream)), counter)
        for axis in largest.indices { y = try prefix(y, axis: axis, shapes.map { $0[axis] }) }
        return y
    }

    /// The state that counts runs, made when it is first asked for.
    private func randomCounter() throws(ApusError) -> Term {
        let type = TensorType(.i64, [])
        let types = [type].spread(over: samples.count)
        if let index = graph.states.firstIndex(where: { $0.role == .counter }) {
            return Term(value: builder.state(index), types: types)
        }
        graph.states.append(State("random/counter", type, .counter))
        let index = graph.states.count - 1
        let counter = Term(value: builder.state(index), types: types)
        try builder.update(state: index, to: try add(counter, try scalar(1, .i64)).value)
        return counter
    }
}
