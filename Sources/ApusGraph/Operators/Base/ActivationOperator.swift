import CKernels
import CModelFormat

/// What the activations share as operators of their own: y[i] = act(x[i]).
///
/// Input: x, f32 or f64. Output: y, of x's type and shape, which may be written over x.
public class ActivationOperator: UnaryElementwise {
    public let activation: Activation

    init(_ activation: Activation) { self.activation = activation }

    /// Whether act′ can be told from y as well as from x, so that y may be written over x in training too.
    var differentiatesOutput: Bool { false }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try activation.check()
        return try super.outputTypes(inputs)
    }

    // MARK: Kernel choice

    override var operationsPerElement: Int { activation.operations }

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0], params = activation.params
        let operation = ck_unary_op(CK_UNARY_ACTIVATION.rawValue + UInt32(params.kind))
        return KernelPlan(
            [try site.unary(operation, x, alpha: params.alpha, beta: params.beta, .input(0), .output(0))],
            operations: operationsPerElement * x.shape.count)
    }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try g(ActivationGradient(activation), differentiatesOutput ? g.y : g.x, try g.dy())]
    }
}

extension Activation {
    /// Arithmetic operations that one element takes.
    var operations: Int {
        switch self {
        case .none: 0
        case .relu, .relu6, .clip, .leakyRelu: 2
        case .hardSwish: 5
        default: 25
        }
    }

    /// Parameters that are numbers.
    func check() throws(ApusError) {
        let params = self.params
        guard !params.alpha.isNaN && !params.beta.isNaN else { throw .shape("a parameter of \(name) is not a number") }
    }
}
