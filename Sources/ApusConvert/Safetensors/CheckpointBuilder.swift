import ApusGraph

/// Appends layers to a function, with their parameters from a checkpoint by name.
struct CheckpointBuilder {
    let g: Emitter
    let tensors: Checkpoint

    private func constant(_ name: String, _ shape: [Int]) throws(ApusError) -> Term {
        g.constant(try tensors.tensor(name, shape))
    }

    /// x·Wᵀ + b, W [to, from] and b [to] as PyTorch's Linear keeps them.
    func linear(_ x: Term, _ name: String, to width: Int) throws(ApusError) -> Term {
        let weights = try tensors.tensor("\(name).weight", [width, try x.extent(x.rank - 1)]).transposed()
        return try dense(x, g.constant(weights), name, width)
    }

    /// x·W + b, W [from, to] and b [to], as the Conv1D of GPT-2.
    func conv1D(_ x: Term, _ name: String, to width: Int) throws(ApusError) -> Term {
        try dense(x, try constant("\(name).weight", [try x.extent(x.rank - 1), width]), name, width)
    }

    private func dense(_ x: Term, _ weights: Term, _ name: String, _ width: Int) throws(ApusError) -> Term {
        g.builder.prefix = name + "/"
        return try g(Dense(hasBias: true), x, weights, try constant("\(name).bias", [width]))
    }

    /// Over the last axis. The first checkpoints of BERT call scale and bias gamma and beta.
    func layerNorm(_ x: Term, _ name: String, epsilon: Float) throws(ApusError) -> Term {
        g.builder.prefix = name + "/"
        let (scale, bias) = tensors.has("\(name).gamma") ? ("gamma", "beta") : ("weight", "bias")
        let row = [try x.extent(x.rank - 1)]
        return try g.layerNorm(
            x, try constant("\(name).\(scale)", row), try constant("\(name).\(bias)", row), epsilon: epsilon)[0]
    }

    /// The rows of a table [count, width] at indices.
    func embedding(_ indices: Term, _ name: String, _ count: Int, _ width: Int) throws(ApusError) -> Term {
        g.builder.prefix = name + "/"
        return try g.gather(try constant("\(name).weight", [count, width]), indices, axis: 0)
    }
}
