import ApusGraph

/// A node that computes act(product(x, W) + bias + residual), as a value that rewriting changes.
struct Product: FusibleProduct {
    private let name: String
    private let op: Operator
    let x: Operand
    var weights: Operand
    var bias: Operand?
    var residual: Operand?
    var activation: Activation

    /// nil for other operators.
    init?(_ node: Node) {
        let hasBias: Bool, hasResidual: Bool
        switch node.op {
        case let dense as ApusGraph.Dense:
            (hasBias, hasResidual, activation) = (dense.hasBias, dense.hasResidual, dense.activation)
        case let convolution as Convolution:
            (hasBias, hasResidual) = (convolution.hasBias, convolution.hasResidual)
            activation = convolution.activation
        default:
            return nil
        }
        name = node.name
        op = node.op
        x = node.inputs[0]
        weights = node.inputs[1]
        bias = hasBias ? node.inputs[2] : nil
        residual = hasResidual ? node.inputs[hasBias ? 3 : 2] : nil
    }

    var node: Node { Node(name, changedOperator, [x, weights] + [bias, residual].compactMap { $0 }) }

    private var changedOperator: Operator {
        let hasBias = bias != nil, hasResidual = residual != nil
        return switch op {
        case let c as ApusGraph.Conv2D:
            ApusGraph.Conv2D(
                strides: c.strides, dilations: c.dilations, padding: c.padding, groups: c.groups, hasBias: hasBias,
                hasResidual: hasResidual, activation: activation, algorithm: c.algorithm)
        case let c as ApusGraph.Conv2DTranspose:
            ApusGraph.Conv2DTranspose(
                strides: c.strides, dilations: c.dilations, padding: c.padding, outputPadding: c.outputPadding,
                groups: c.groups, hasBias: hasBias, hasResidual: hasResidual, activation: activation)
        default:
            ApusGraph.Dense(hasBias: hasBias, hasResidual: hasResidual, activation: activation)
        }
    }

    /// The output channel that an element of plain weights contributes to: the last axis, but for W [kh, kw, O/groups, C]
    /// of a transposed convolution, where input channel c belongs to group c / (C/groups).
    func outputChannel(ofWeight element: Int, _ shape: Shape) -> Int {
        guard let transposed = op as? ApusGraph.Conv2DTranspose else { return element % shape.last }
        let c = element % shape[3], o = element / shape[3] % shape[2]
        return c / (shape[3] / transposed.groups) * shape[2] + o
    }

    /// The input channel that an element of plain weights of a dense layer or a convolution multiplies.
    func inputChannel(ofWeight element: Int, _ shape: Shape) -> Int {
        let outputs = shape.last, depth = shape[shape.rank - 2], groups = (op as? ApusGraph.Conv2D)?.groups ?? 1
        return element / outputs % depth + element % outputs / (outputs / groups) * depth
    }

    /// The number of output channels for weights of a shape.
    func outputChannels(_ shape: Shape) -> Int {
        guard let transposed = op as? ApusGraph.Conv2DTranspose else { return shape.last }
        return shape[2] * transposed.groups
    }
}

extension FunctionEditor {
    /// The product that makes a value which one node alone reads, and where it stands.
    func soleProduct(_ operand: Operand) -> (place: Int, product: Product)? {
        guard let place = maker(of: operand), readCount(of: operand) == 1, let product = Product(self[place]) else {
            return nil
        }
        return (place, product)
    }
}
