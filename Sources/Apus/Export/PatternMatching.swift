import ApusGraph
import Foundation

/// The words that patterns of nodes are written in.
extension FunctionEditor {
    /// The node that makes a value, if its operator has this code.
    func node(_ operand: Operand, _ op: Operator) -> Node? {
        maker(of: operand).map { self[$0] }.flatMap { $0.op.code == op.code ? $0 : nil }
    }

    /// The one element of a constant.
    func scalar(_ operand: Operand) -> Double? {
        guard let constant = plainConstant(operand), constant.type.shape.count == 1 else { return nil }
        return try? constant.doubles()[0]
    }

    /// Whether a constant has one element, about this.
    func isScalar(_ operand: Operand, _ value: Double) -> Bool {
        scalar(operand).map { abs($0 - value) <= 1e-3 * abs(value) } ?? false
    }

    /// x of an activation of x.
    func activated(_ operand: Operand, _ activation: Activation) -> Operand? {
        node(operand, ActivationOperator(activation))?.inputs[0]
    }

    /// What a sum adds to a number: x and c of x + c.
    func sum(_ operand: Operand) -> (operand: Operand, constant: Double)? {
        guard let inputs = node(operand, .add)?.inputs else { return nil }
        if let constant = scalar(inputs[1]) { return (inputs[0], constant) }
        return scalar(inputs[0]).map { (inputs[1], $0) }
    }

    /// A value as c·a·b·…: numbers that it is multiplied or divided by, and the rest. A product that others read too is one
    /// factor.
    func factors(_ operand: Operand, isWhole: Bool = true) -> (coefficient: Double, operands: [Operand]) {
        if let number = scalar(operand) { return (number, []) }
        guard isWhole || readCount(of: operand) == 1 else { return (1, [operand]) }
        if let inputs = node(operand, .mul)?.inputs {
            let a = factors(inputs[0], isWhole: false), b = factors(inputs[1], isWhole: false)
            return (a.coefficient * b.coefficient, a.operands + b.operands)
        }
        if let inputs = node(operand, .div)?.inputs, let divisor = scalar(inputs[1]) {
            let a = factors(inputs[0], isWhole: false)
            return (a.coefficient / divisor, a.operands)
        }
        return (1, [operand])
    }

    /// x of c·x.
    func scaled(_ operand: Operand, by coefficient: Double) -> Operand? {
        let found = factors(operand)
        guard found.operands.count == 1, abs(found.coefficient - coefficient) <= 1e-3 * abs(coefficient) else { return nil }
        return found.operands[0]
    }

    /// x of x·x, x² or Pow(x, 2).
    func squared(_ operand: Operand) -> Operand? {
        if let node = node(operand, .square) { return node.inputs[0] }
        if let node = node(operand, .pow), isScalar(node.inputs[1], 2) { return node.inputs[0] }
        if let node = node(operand, .mul), node.inputs[0] == node.inputs[1] { return node.inputs[0] }
        return nil
    }

    /// x of 1/x.
    func inverse(_ operand: Operand) -> Operand? {
        if let node = node(operand, .reciprocal) { return node.inputs[0] }
        guard let inputs = node(operand, .div)?.inputs, scalar(inputs[0]) == 1 else { return nil }
        return inputs[1]
    }

    /// What a value is the mean of, over the last axis alone, which is kept.
    func lastMean(_ operand: Operand) -> Operand? {
        guard let node = maker(of: operand).map({ self[$0] }), let op = node.op as? Reduction,
            op.code == Reduction(.mean).code, op.keepDimensions, op.axes.count == 1
        else { return nil }
        let last = type(of: node.inputs[0]).shape.rank - 1
        return op.axes[0] == last || op.axes[0] == -1 ? node.inputs[0] : nil
    }

    /// Removes the nodes that nothing reads, and returns how many.
    mutating func removeUnreadNodes() -> Int {
        var changes = 0
        for place in nodes.reversed() where isUnread(place) {
            remove(place)
            changes += 1
        }
        return changes
    }
}
