import ApusGraph

let lossOperators: [OnnxOperator] = [
    OnnxOperator("NegativeLogLikelihoodLoss") { n throws(ApusError) -> Term in
        try negativeLogLikelihood(n, try n.term(0))
    },
    OnnxOperator("SoftmaxCrossEntropyLoss") { n throws(ApusError) -> [ImportedValue] in
        let logits = try n.g.logSoftmax(try n.term(0), axis: 1)
        return [ImportedValue(try negativeLogLikelihood(n, logits)), ImportedValue(logits)]
    },
]

/// −w[t]·x[n, t, …] for labels t, 0 where t is to be ignored; averaged by the weights, summed or left.
private func negativeLogLikelihood(_ n: NodeContext, _ x: Term) throws(ApusError) -> Term {
    let classes = try x.extent(1)
    let labels = try n.g.cast(try n.term(1), to: .i64)
    let onehot = try n.g.moveAxis(try n.g(OneHot(depth: classes), labels), from: labels.rank, to: 1)
    let isLabel = try n.g.cast(onehot, to: .bool), zero = try n.g.scalar(0, like: x)
    var loss = try n.g.neg(try n.g.reduce(.sum, try n.g.select(isLabel, x, zero), [1], keep: false))
    var weights: Term?
    if n.has(2) {
        let table = try n.g.reshape(
            try n.term(2), [1, classes] + [Int](repeating: 1, count: max(0, x.rank - 2)))
        weights = try n.g.reduce(.sum, try n.g.select(isLabel, table, zero), [1], keep: false)
    }
    if n.hasAttribute("ignore_index") {
        let isIgnored = try n.g.equal(labels, try n.g.scalar(Double(try n.int("ignore_index")), .i64))
        let counts = try n.g.select(isIgnored, zero, try n.g.scalar(1, like: x))
        weights = try weights.map { w throws(ApusError) in try n.g.mul(w, counts) } ?? counts
        loss = try n.g.select(isIgnored, zero, loss)
    }
    if let weights { loss = try n.g.mul(loss, weights) }
    let axes = Array(0..<loss.rank)
    switch try n.string("reduction", "mean") {
    case "none": return loss
    case "sum": return try n.g.reduce(.sum, loss, axes, keep: false)
    case "mean":
        guard let weights else { return try n.g.reduce(.mean, loss, axes, keep: false) }
        return try n.g.div(
            try n.g.reduce(.sum, loss, axes, keep: false), try n.g.reduce(.sum, weights, axes, keep: false))
    case let reduction: throw .unsupported("reduction '\(reduction)'")
    }
}
