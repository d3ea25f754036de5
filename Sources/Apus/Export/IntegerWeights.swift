import ApusGraph

/// A node that computes act(x·W + bias) for real x and integer W, as a value that rewriting changes.
struct IntegerWeightsProduct {
    private let source: Node
    /// x, W and what belongs to W.
    private let operands: [Operand]
    var bias: Operand?
    var activation: Activation

    /// nil for other operators.
    init?(_ node: Node) {
        let hasBias: Bool
        switch node.op {
        case let op as WeightOnlyDense: (hasBias, activation) = (op.hasBias, op.activation)
        case let op as DynamicDense: (hasBias, activation) = (op.hasBias, op.activation)
        default: return nil
        }
        source = node
        operands = hasBias ? Array(node.inputs.dropLast()) : node.inputs
        bias = hasBias ? node.inputs.last : nil
    }

    var node: Node {
        let hasBias = bias != nil
        let op: Operator
        if let dense = source.op as? WeightOnlyDense {
            op = WeightOnlyDense(
                blockSize: dense.blockSize, hasZeroPoints: dense.hasZeroPoints, hasBias: hasBias, activation: activation)
        } else {
            op = DynamicDense(hasBias: hasBias, activation: activation)
        }
        return Node(source.name, op, operands + [bias].compactMap { $0 })
    }
}

extension FunctionEditor {
    /// The product of integer weights that makes a value which one node alone reads, and where it stands.
    func soleIntegerWeightsProduct(_ operand: Operand) -> (place: Int, product: IntegerWeightsProduct)? {
        guard let place = maker(of: operand), readCount(of: operand) == 1, let product = IntegerWeightsProduct(self[place])
        else { return nil }
        return (place, product)
    }

    /// The product takes the place of the node that read it, and its name stays.
    mutating func move(_ product: IntegerWeightsProduct, from old: Int, to reader: Int) {
        self[reader] = product.node
        remove(old)
    }
}
