import CKernels
import CModelFormat

/// a ← a + g², p ← p − lr·g / √(a + ε). Duchi, Hazan & Singer 2011.
///
/// One slot, a.
public final class Adagrad: ParameterUpdate {
    public let epsilon: Float

    public init(epsilon: Float = 1e-7, weightDecay: Float = 0) {
        self.epsilon = epsilon
        super.init(weightDecay: weightDecay)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("Adagrad", APUS__NODE__OPERATOR_ADAGRAD) { node throws(ApusError) in
        let m = node.adagrad.pointee
        return Adagrad(epsilon: m.epsilon, weightDecay: m.weight_decay)
    }
    public override var entry: OperatorEntry { Adagrad.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.adagrad = wire.message(apus__adagrad__init) {
            $0.epsilon = epsilon
            $0.weight_decay = weightDecay
        }
    }

    // MARK: Shape rule

    override func checkAttributes() throws(ApusError) { try requireEpsilon(epsilon) }

    // MARK: Kernel choice

    override var kind: ck_optimizer_kind { CK_ADAGRAD }
    override var attributes: ck_optimizer_params {
        var params = ck_optimizer_params()
        params.epsilon = Double(epsilon)
        return params
    }
}
