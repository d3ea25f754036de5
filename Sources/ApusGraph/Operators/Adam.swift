import CKernels
import CModelFormat

/// m ← m + (g − m)·(1 − β₁), v ← v + (g² − v)·(1 − β₂), p ← p − lr·√(1 − β₂ᵗ) / (1 − β₁ᵗ)·m / (√v + ε). Kingma & Ba
/// 2015. If `decoupled`, the decay is p ← p − p·weightDecay·lr ahead of that: AdamW, Loshchilov & Hutter 2019.
///
/// Slots: m, v.
public final class Adam: ParameterUpdate {
    public let beta1: Float
    public let beta2: Float
    public let epsilon: Float
    public let decoupled: Bool

    public init(
        beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-7, weightDecay: Float = 0, decoupled: Bool = false
    ) {
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.decoupled = decoupled
        super.init(weightDecay: weightDecay)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("Adam", APUS__NODE__OPERATOR_ADAM) { node throws(ApusError) in
        let m = node.adam.pointee
        return Adam(
            beta1: m.beta1, beta2: m.beta2, epsilon: m.epsilon, weightDecay: m.weight_decay,
            decoupled: m.decoupled != 0)
    }
    public override var entry: OperatorEntry { Adam.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.adam = wire.message(apus__adam__init) {
            $0.beta1 = beta1
            $0.beta2 = beta2
            $0.epsilon = epsilon
            $0.weight_decay = weightDecay
            $0.decoupled = decoupled ? 1 : 0
        }
    }

    // MARK: Shape rule

    override func checkAttributes() throws(ApusError) {
        try ParameterUpdate.requireFactor("beta1", beta1)
        try ParameterUpdate.requireFactor("beta2", beta2)
        try requireEpsilon(epsilon)
    }

    // MARK: Kernel choice

    override var kind: ck_optimizer_kind { decoupled ? CK_ADAMW : CK_ADAM }
    override var kernelDecays: Bool { decoupled }
    override var attributes: ck_optimizer_params {
        var params = ck_optimizer_params()
        params.beta1 = Double(beta1)
        params.beta2 = Double(beta2)
        params.epsilon = Double(epsilon)
        params.decay = Double(weightDecay)
        return params
    }
}
