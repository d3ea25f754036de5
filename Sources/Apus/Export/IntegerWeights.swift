import ApusGraph

/// A node that computes act(x·W + bias + residual) for real x and integer W, as a value that rewriting changes.
struct IntegerWeightsProduct: FusibleProduct {
    private let source: Node
    /// x, W and what belongs to W.
    private let operands: [Operand]
    var bias: Operand?
    var residual: Operand?
    var activation: Activation

    /// nil for other operators.
    init?(_ node: Node) {
        let hasBias: Bool, hasResidual: Bool
        switch node.op {
        case let op as WeightOnlyDense: (hasBias, hasResidual, activation) = (op.hasBias, op.hasResidual, op.activation)
        case let op as DynamicDense: (hasBias, hasResidual, activation) = (op.hasBias, op.hasResidual, op.activation)
        default: return nil
        }
        source = node
        var operands = node.inputs
        residual = hasResidual ? operands.removeLast() : nil
        bias = hasBias ? operands.removeLast() : nil
        self.operands = operands
    }

    var node: Node {
        let hasBias = bias != nil, hasResidual = residual != nil
        let op: Operator
        if let dense = source.op as? WeightOnlyDense {
            op = WeightOnlyDense(
                blockSize: dense.blockSize, hasZeroPoints: dense.hasZeroPoints, hasBias: hasBias, hasResidual: hasResidual,
                activation: activation, dynamicActivations: dense.dynamicActivations)
        } else {
            op = DynamicDense(hasBias: hasBias, hasResidual: hasResidual, activation: activation)
        }
        return Node(source.name, op, operands + [bias, residual].compactMap { $0 })
    }
}
