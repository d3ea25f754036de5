import ApusGraph
import Foundation

/// The class that the first output of a graph's first function says of one sample: the place of its greatest element; or, of
/// a single element, which of two classes.
public struct Classifier {
    public let classes: Range<Int>
    private let single: BinaryScore?

    /// nil where the output has no fixed number of elements for a sample.
    public init?(_ graph: Graph) {
        let function = graph.functions[0]
        guard let output = function.outputs.first else { return nil }
        var extents = output.type.shape.dimensions[...]
        if let first = extents.first, first < 0 || first == 1 { extents = extents.dropFirst() }
        guard extents.allSatisfy({ $0 > 0 }) else { return nil }
        let count = extents.reduce(1, *)
        classes = 0..<max(2, count)
        single = count > 1 ? nil : BinaryScore(function) ?? .logit
    }

    /// The share of samples whose class the output says, of predictions [1, elements] and one class.
    public var accuracy: any Metric { single.map { BinaryAccuracy(threshold: $0.threshold) } ?? Accuracy() }
}

/// What one number says of two classes.
enum BinaryScore {
    /// That of the second class.
    case probability
    /// Its logarithm less that of the first.
    case logit

    /// Probabilities are what a sigmoid and what moves its elements make; what other outputs are, a function does not say: nil.
    init?(_ function: Function) {
        guard let output = function.outputs.first, function.endsInSigmoid(output.operand) else { return nil }
        self = .probability
    }

    /// Above it is the second class.
    var threshold: Double { self == .probability ? 0.5 : 0 }

    /// Two logits, of which the second is greater above the threshold. Probabilities nearer to 0 or 1 than f32 tells apart are
    /// taken to be as near as that.
    func logits(_ x: Double) -> [Double] {
        guard self == .probability else { return [0, x] }
        let p = min(max(x, 0x1p-24), 1 - 0x1p-24)
        return [log1p(-p), log(p)]
    }
}

extension Function {
    fileprivate func endsInSigmoid(_ output: Operand) -> Bool {
        var makers: [Node] = []
        for node in nodes { makers += [Node](repeating: node, count: node.op.outputCount) }
        var operand = output
        while case .local(let local) = operand, local >= inputs.count {
            let node = makers[local - inputs.count]
            guard node.op.isView, let next = node.inputs.first else { return node.activation == .sigmoid }
            operand = next
        }
        return false
    }
}

extension Node {
    /// The function of one number that makes its output, alone or after a product.
    fileprivate var activation: Activation? {
        (op as? ActivationOperator)?.activation ?? Product(self)?.activation ?? IntegerWeightsProduct(self)?.activation
    }
}
