import ApusGraph

/// ReLU(BatchNormTraining(x)) and ReLU(BatchNormTraining(x) + r) → one node, and ReLU's gradient into BatchNormGradient where
/// nothing else reads it.
let fuseBatchNormPass = RewritePass("fuse-batch-norm", "batch norm, Add, ReLU and their gradients → one node each") {
    graph, _ throws(ApusError) in
    try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        for place in editor.nodes {
            let node = editor[place]
            if let relu = node.op as? ActivationOperator, relu.activation == .relu {
                if editor.fuse(relu: place) { changes += 1 }
            } else if node.op is BatchNormGradient, node.inputs.count == 5, editor.readCount(of: node.inputs[4]) == 1,
                let maker = editor.maker(of: node.inputs[4]),
                (editor[maker].op as? ActivationGradient)?.activation == .relu
            {
                let gradient = editor[maker].inputs
                editor[place].inputs = node.inputs.dropLast() + [gradient[1], gradient[0]]
                editor.remove(maker)
                changes += 1
            }
        }
        return changes
    }
}

extension FunctionEditor {
    /// Lets a batch norm do what the ReLU at a place does. False where none can.
    fileprivate mutating func fuse(relu place: Int) -> Bool {
        let x = self[place].inputs[0]
        guard readCount(of: x) == 1, let maker = maker(of: x) else { return false }
        if let norm = plainBatchNorm(x) { return fuse(norm, residual: nil, relu: place) }
        guard self[maker].op.code == Operator.add.code else { return false }
        let terms = self[maker].inputs
        guard haveSameType(terms[0], terms[1]) else { return false }
        for (value, residual) in [(terms[1], terms[0]), (terms[0], terms[1])] where value != residual {
            // The residual must be there when the batch norm runs.
            guard let norm = plainBatchNorm(value), self.maker(of: residual).map({ $0 < norm }) ?? true,
                fuse(norm, residual: residual, relu: place)
            else { continue }
            remove(maker)
            return true
        }
        return false
    }

    /// The batch norm without an activation whose result this is, for one reader.
    private func plainBatchNorm(_ operand: Operand) -> Int? {
        guard readCount(of: operand) == 1, let place = maker(of: operand), operand == output(of: place),
            let norm = self[place].op as? BatchNormTraining, norm.activation == .none, !norm.hasResidual
        else { return nil }
        return place
    }

    private mutating func fuse(_ norm: Int, residual: Operand?, relu place: Int) -> Bool {
        guard let old = self[norm].op as? BatchNormTraining, replace(output(of: place), with: output(of: norm)) else {
            return false
        }
        self[norm].op = BatchNormTraining(
            epsilon: old.epsilon, momentum: old.momentum, hasResidual: residual != nil, activation: .relu)
        if let residual { self[norm].inputs.append(residual) }
        remove(place)
        return true
    }
}
