import ApusGraph
import Foundation

/// How a node computes on codes: Docs/Quantization.md.
enum IntegerForm {
    case product(Product)
    case transposedProduct(Product, ApusGraph.Conv2DTranspose)
    case concatenation
    case average(AvgPool)
    /// The mean, and the greatest element, over all axes between the first and the last.
    case mean
    case greatest(kernel: Size2D)
    case movement
    case sum, difference, multiplication
    /// f of every element of an input.
    case function(place: Int, f: (Double) -> Double)

    /// Whether the outputs are elements of the first input, so that its codes are theirs.
    var keepsCodes: Bool {
        switch self {
        case .movement, .greatest: true
        default: false
        }
    }
}

extension IntegerTranslation {
    /// nil for a node that stays real whatever it reads.
    ///
    /// So does a softmax: its codes have a scale of 1/256, which leaves nothing of a row with many elements alike.
    func integerForm(_ node: Node) -> IntegerForm? {
        if let product = Product(node) {
            return switch node.op {
            case is ApusGraph.Conv2D, is ApusGraph.Dense: .product(product)
            case let op as ApusGraph.Conv2DTranspose: .transposedProduct(product, op)
            default: nil
            }
        }
        switch node.op {
        case is ApusGraph.Concat: return .concatenation
        case let pool as AvgPool: return .average(pool)
        case let reduction as Reduction: return form(reduction, of: node.inputs[0])
        case _ where movesElements(node): return .movement
        default: break
        }
        if let (place, f) = scalarFunction(node) { return .function(place: place, f: f) }
        switch node.op.code {
        case Operator.add.code: return .sum
        case Operator.sub.code: return .difference
        case Operator.mul.code: return .multiplication
        default: return nil
        }
    }

    private func form(_ reduction: Reduction, of x: Operand) -> IntegerForm? {
        guard case .local(let local) = x else { return nil }
        let shape = shape(local), rank = shape.rank
        guard rank == 3 || rank == 4 else { return nil }
        let pools = [Reduction(.globalAvgPool).code, Reduction(.globalMaxPool).code]
        guard pools.contains(reduction.code) || Set(reduction.axes.map { ($0 + rank) % rank }) == Set(1..<rank - 1) else { return nil }
        switch reduction.code {
        case pools[0], Reduction(.mean).code: return .mean
        case pools[1], Reduction(.max).code:
            return isFixed(local, 1..<rank - 1) ? .greatest(kernel: Size2D(shape[1], rank == 4 ? shape[2] : 1)) : nil
        default: return nil
        }
    }

    private func movesElements(_ node: Node) -> Bool {
        switch node.op {
        case is ApusGraph.Reshape, is ApusGraph.Flatten, is Transpose, is Slice, is Split, is Expand, is MaxPool: true
        case let pad as Pad: pad.value == 0
        case let gather as ApusGraph.Gather: isWithin(node, gather.axis)
        default: false
        }
    }

    /// Whether all indices of a gather are known, and inside what it reads.
    private func isWithin(_ gather: Node, _ axis: Int) -> Bool {
        guard case .local(let local) = gather.inputs[0], case .constant(let index) = gather.inputs[1],
            let indices = try? Tensor(source.constants[index]).doubles()
        else { return false }
        let rank = shape(local).rank, place = axis < 0 ? axis + rank : axis
        guard (0..<rank).contains(place), isFixed(local, place..<place + 1) else { return false }
        let extent = Double(shape(local)[place])
        return indices.allSatisfy { -extent <= $0 && $0 < extent }
    }

    /// f of a node that computes f of every element of one input, others being single numbers.
    private func scalarFunction(_ node: Node) -> (place: Int, f: (Double) -> Double)? {
        if let op = node.op as? ActivationOperator { return (0, op.activation.scalarFunction) }
        switch node.op.code {
        case Operator.abs.code: return (0, { Swift.abs($0) })
        case Operator.neg.code: return (0, { -$0 })
        case Operator.exp.code: return (0, { Foundation.exp($0) })
        case Operator.erf.code: return (0, { Foundation.erf($0) })
        case Operator.sin.code: return (0, { Foundation.sin($0) })
        case Operator.cos.code: return (0, { Foundation.cos($0) })
        default: break
        }
        for place in 0..<min(2, node.inputs.count) {
            guard node.inputs.count == 2, case .local(let local) = node.inputs[place],
                let other = realConstant(node.inputs[1 - place]), other.type.shape.count == 1,
                other.type.shape.rank <= shape(local).rank, let c = try? other.doubles()[0], c.isFinite
            else { continue }
            switch node.op.code {
            case Operator.add.code: return (place, { $0 + c })
            case Operator.sub.code: return (place, place == 0 ? { $0 - c } : { c - $0 })
            case Operator.mul.code: return (place, { $0 * c })
            case Operator.div.code where place == 0 && c != 0: return (place, { $0 / c })
            case Operator.maximum.code: return (place, { Swift.max($0, c) })
            case Operator.minimum.code: return (place, { Swift.min($0, c) })
            default: return nil
            }
        }
        return nil
    }
}

extension Activation {
    /// The formula of docs and reference, in double.
    fileprivate var scalarFunction: (Double) -> Double {
        func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        return switch self {
        case .none: { $0 }
        case .relu: { max($0, 0) }
        case .relu6: { min(max($0, 0), 6) }
        case .leakyRelu(let alpha): { $0 < 0 ? Double(alpha) * $0 : $0 }
        case .elu(let alpha): { $0 < 0 ? Double(alpha) * expm1($0) : $0 }
        case .sigmoid: sigmoid
        case .tanh: { Foundation.tanh($0) }
        case .gelu: { $0 * 0.5 * erfc(-$0 * 0.5.squareRoot()) }
        case .geluTanh: { $0 * sigmoid(2 * (2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0)) }
        case .silu: { $0 * sigmoid($0) }
        case .hardSwish: { $0 * min(max($0 + 3, 0), 6) / 6 }
        case .softplus: { max($0, 0) + log1p(exp(-abs($0))) }
        case .clip(let low, let high): { min(max($0, Double(low)), Double(high)) }
        }
    }
}
