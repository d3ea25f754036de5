import CKernels
import CModelFormat

/// An activation as an operator of its own: y[i] = act(x[i]). Its name and its code are those of its kind's file.
///
/// Input: x, f32 or f64, and for ReLU and Clip i32 or i64. Output: y, of x's type and shape, which may be written over x.
public final class ActivationOperator: Operator {
    public let activation: Activation

    public init(_ activation: Activation) { self.activation = activation }

    // MARK: Wire

    public override var entry: OperatorEntry {
        switch activation {
        case .none: super.entry
        case .relu: .relu
        case .relu6: .relu6
        case .leakyRelu: .leakyRelu
        case .elu: .elu
        case .sigmoid: .sigmoid
        case .tanh: .tanh
        case .gelu, .geluTanh: .gelu
        case .silu: .silu
        case .hardSwish: .hardSwish
        case .softplus: .softplus
        case .clip: .clip
        }
    }

    /// Every member of the node's union is one pointer.
    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        switch activation {
        case .leakyRelu(let alpha), .elu(let alpha):
            node.leaky_relu = wire.message(apus__alpha__init) { $0.alpha = alpha }
        case .gelu, .geluTanh:
            node.gelu = wire.message(apus__gelu__init) { $0.tanh = activation == .geluTanh ? 1 : 0 }
        case .clip(let minimum, let maximum):
            node.clip = wire.message(apus__clip__init) {
                $0.minimum = minimum
                $0.maximum = maximum
            }
        default: super.encode(to: &node, wire)
        }
    }

    // MARK: Shape rule

    public override func mayOverwrite(input: Int, output: Int) -> Bool { true }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try activation.check()
        try inputs[0].require("x", oneOf: activation.dtypes)
        return [inputs[0]]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0], params = activation.params
        let operation = ck_unary_op(CK_UNARY_ACTIVATION.rawValue + UInt32(params.kind))
        return KernelPlan(
            [try site.unary(operation, x, alpha: params.alpha, beta: params.beta, .input(0), .output(0))],
            operations: activation.operations * x.shape.count)
    }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try g(ActivationGradient(activation), activation.differentiatesOutput ? g.y : g.x, try g.dy())]
    }
}

extension Activation {
    /// The types x may have.
    var dtypes: DTypes {
        switch self {
        case .relu, .clip: .signed
        default: .floats
        }
    }

    /// Arithmetic operations that one element takes.
    var operations: Int {
        switch self {
        case .none: 0
        case .relu, .relu6, .clip, .leakyRelu: 2
        case .hardSwish: 5
        default: 25
        }
    }

    /// Whether act′ can be told from y as well as from x, so that y may be written over x in training too: ReLU and ReLU6,
    /// whose y lies within its bounds just where x does.
    public var differentiatesOutput: Bool { self == .relu || self == .relu6 }

    /// Parameters that are numbers.
    func check() throws(ApusError) {
        guard self != .none else { throw .shape("no activation, wanted one") }
        let params = self.params
        guard !params.alpha.isNaN && !params.beta.isNaN else { throw .shape("a parameter of \(name) is not a number") }
    }
}
