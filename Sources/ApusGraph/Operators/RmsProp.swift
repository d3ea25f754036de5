import CKernels
import CModelFormat

/// v ← ρ·v + (1 − ρ)·g², d = lr·g / √(v + ε), p ← p − d; with momentum m ← momentum·m + d and p ← p − m. Hinton 2012.
///
/// Slots: v, and m if the momentum is not 0.
public final class RmsProp: ParameterUpdate {
    public let rho: Float
    public let momentum: Float
    public let epsilon: Float

    public init(rho: Float = 0.9, momentum: Float = 0, epsilon: Float = 1e-7, weightDecay: Float = 0) {
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        super.init(weightDecay: weightDecay)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("RmsProp", APUS__NODE__OPERATOR_RMS_PROP) { node throws(ApusError) in
        let m = node.rms_prop.pointee
        return RmsProp(rho: m.rho, momentum: m.momentum, epsilon: m.epsilon, weightDecay: m.weight_decay)
    }
    public override var entry: OperatorEntry { RmsProp.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.rms_prop = wire.message(apus__rms_prop__init) {
            $0.rho = rho
            $0.momentum = momentum
            $0.epsilon = epsilon
            $0.weight_decay = weightDecay
        }
    }

    // MARK: Shape rule

    override func checkAttributes() throws(ApusError) {
        try ParameterUpdate.requireFactor("rho", rho)
        try requireEpsilon(epsilon)
        guard momentum >= 0 && momentum <= 1 else { throw .shape("a momentum outside 0 ... 1") }
    }

    // MARK: Kernel choice

    override var kind: ck_optimizer_kind { CK_RMSPROP }
    override var attributes: ck_optimizer_params {
        var params = ck_optimizer_params()
        params.rho = Double(rho)
        params.momentum = Double(momentum)
        params.epsilon = Double(epsilon)
        return params
    }
}
