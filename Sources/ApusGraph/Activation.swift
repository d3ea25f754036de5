public import CKernels
public import CModelFormat

/// An activation that products and convolutions apply to their result, and that the activation operators are.
public enum Activation: Sendable, Equatable {
    case none
    /// max(x, 0)
    case relu
    /// min(max(x, 0), 6)
    case relu6
    /// x for x ≥ 0, else α·x
    case leakyRelu(alpha: Float)
    /// x for x ≥ 0, else α·(eˣ − 1)
    case elu(alpha: Float)
    /// 1 / (1 + e⁻ˣ)
    case sigmoid
    case tanh
    /// x·Φ(x) = x/2·(1 + erf(x/√2))
    case gelu
    /// x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))
    case geluTanh
    /// x·sigmoid(x)
    case silu
    /// x·relu6(x + 3)/6
    case hardSwish
    /// log(1 + eˣ)
    case softplus
    /// min(max(x, minimum), maximum)
    case clip(minimum: Float, maximum: Float)

    public var params: ck_activation_params {
        switch self {
        case .none: Activation.params(CK_ACT_NONE)
        case .relu: Activation.params(CK_ACT_RELU)
        case .relu6: Activation.params(CK_ACT_RELU6)
        case .leakyRelu(let alpha): Activation.params(CK_ACT_LEAKY_RELU, alpha)
        case .elu(let alpha): Activation.params(CK_ACT_ELU, alpha)
        case .sigmoid: Activation.params(CK_ACT_SIGMOID)
        case .tanh: Activation.params(CK_ACT_TANH)
        case .gelu: Activation.params(CK_ACT_GELU)
        case .geluTanh: Activation.params(CK_ACT_GELU_TANH)
        case .silu: Activation.params(CK_ACT_SILU)
        case .hardSwish: Activation.params(CK_ACT_HARD_SWISH)
        case .softplus: Activation.params(CK_ACT_SOFTPLUS)
        case .clip(let minimum, let maximum): Activation.params(CK_ACT_CLIP, minimum, maximum)
        }
    }

    private static func params(_ kind: ck_activation, _ alpha: Float = 0, _ beta: Float = 0) -> ck_activation_params {
        ck_activation_params(kind: Int32(kind.rawValue), alpha: alpha, beta: beta)
    }

    // MARK: Wire

    public init(wire: UnsafePointer<Apus__Activation>?) throws(ApusError) {
        guard let message = wire?.pointee else {
            self = .none
            return
        }
        let kind = ck_activation(UInt32(message.kind.rawValue))
        switch kind {
        case CK_ACT_NONE: self = .none
        case CK_ACT_RELU: self = .relu
        case CK_ACT_RELU6: self = .relu6
        case CK_ACT_LEAKY_RELU: self = .leakyRelu(alpha: message.alpha)
        case CK_ACT_ELU: self = .elu(alpha: message.alpha)
        case CK_ACT_SIGMOID: self = .sigmoid
        case CK_ACT_TANH: self = .tanh
        case CK_ACT_GELU: self = .gelu
        case CK_ACT_GELU_TANH: self = .geluTanh
        case CK_ACT_SILU: self = .silu
        case CK_ACT_HARD_SWISH: self = .hardSwish
        case CK_ACT_SOFTPLUS: self = .softplus
        case CK_ACT_CLIP: self = .clip(minimum: message.alpha, maximum: message.beta)
        default: throw .file("activation \(kind.rawValue), wanted 0 ... 12")
        }
    }

    /// nil for none, which the file leaves out.
    public func encoded(_ wire: WireArena) -> UnsafeMutablePointer<Apus__Activation>? {
        guard self != .none else { return nil }
        let params = self.params
        return wire.message(apus__activation__init) {
            $0.kind = Apus__Activation__Kind(UInt32(params.kind))
            $0.alpha = params.alpha
            $0.beta = params.beta
        }
    }

    public var name: String {
        switch self {
        case .none: "none"
        case .relu: "ReLU"
        case .relu6: "ReLU6"
        case .leakyRelu: "LeakyReLU"
        case .elu: "ELU"
        case .sigmoid: "Sigmoid"
        case .tanh: "Tanh"
        case .gelu: "GELU"
        case .geluTanh: "GELU (tanh)"
        case .silu: "SiLU"
        case .hardSwish: "HardSwish"
        case .softplus: "Softplus"
        case .clip: "Clip"
        }
    }
}
