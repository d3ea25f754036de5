import ApusGraph

/// MaxPoolIndex(Conv2D(x)) → one node, and so for their gradients, where no gradient of x is wanted: in a network's first layers,
/// whose results are larger than all that follows.
///
/// Of few channels: convolutions of more are faster over the whole batch.
let fuseConvolutionPoolPass = RewritePass(
    "fuse-convolution-pool", "the first convolution and its max pool, and their gradients → one node each"
) { graph, _ throws(ApusError) in
    try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        for place in editor.nodes where editor.fusePoolGradient(place) { changes += 1 }
        for place in editor.nodes where editor.fusePool(place) { changes += 1 }
        return changes
    }
}

/// Input channels at most.
private let channels = 7

extension FunctionEditor {
    fileprivate mutating func fusePoolGradient(_ place: Int) -> Bool {
        let node = self[place]
        guard let convolution = node.op as? Conv2DWeightGradient, convolution.groups == 1,
            type(of: node.inputs[0]).shape.last <= channels, readCount(of: node.inputs[1]) == 1, let maker = maker(of: node.inputs[1]),
            let pool = self[maker].op as? MaxPoolIndexGradient
        else { return false }
        let index = self[maker].inputs[0], dy = self[maker].inputs[1]
        self[place] = Node(
            node.name, Conv2DMaxPoolWeightGradient(convolution, pool), [node.inputs[0], index, dy, node.inputs[2]])
        remove(maker)
        return true
    }

    fileprivate mutating func fusePool(_ place: Int) -> Bool {
        guard let pool = self[place].op as? MaxPoolIndex, readCount(of: self[place].inputs[0]) == 1,
            let maker = maker(of: self[place].inputs[0]), let convolution = self[maker].op as? ApusGraph.Conv2D,
            !convolution.hasResidual, convolution.groups == 1, type(of: self[maker].inputs[0]).shape.last <= channels
        else { return false }
        self[place] = Node(self[maker].name, Conv2DMaxPool(convolution, pool), self[maker].inputs)
        remove(maker)
        return true
    }
}
