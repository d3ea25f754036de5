import ApusGraph

/// Weight gradients of 3 × 3 convolutions by Winograd's method, unless `exact`: where there are channels enough to outweigh its
/// transforms, and little of the tiles lies beyond the edge.
let chooseGradientAlgorithmsPass = RewritePass(
    "choose-gradient-algorithms", "weight gradient of a 3 × 3 convolution → by Winograd's method"
) { graph, options throws(ApusError) in
    guard !options.exact else { return 0 }
    return try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        for place in editor.nodes {
            let node = editor[place]
            guard let op = node.op as? Conv2DWeightGradient, op.algorithm == .direct else { continue }
            let inputs = node.inputs.map { editor.type(of: $0) }, dy = inputs[1].shape
            let tiled = (dy[1] + 3) / 4 * 4 * ((dy[2] + 3) / 4 * 4)
            let other = op.computed(by: .winograd(tile: 4))
            guard dy[3] >= 8, tiled <= 2 * dy[1] * dy[2], (try? other.outputTypes(inputs)) != nil else { continue }
            editor[place].op = other
            changes += 1
        }
        return changes
    }
}
