import CKernels
import CModelFormat

/// p ← p − lr·g; with momentum v ← momentum·v − lr·g and p ← p + v, or, by Nesterov, p ← p + momentum·v − lr·g.
///
/// One slot, v, if the momentum is not 0.
public final class Sgd: ParameterUpdate {
    public let momentum: Float
    public let nesterov: Bool

    public init(momentum: Float = 0, nesterov: Bool = false, weightDecay: Float = 0) {
        self.momentum = momentum
        self.nesterov = nesterov
        super.init(weightDecay: weightDecay)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("Sgd", APUS__NODE__OPERATOR_SGD) { node throws(ApusError) in
        let m = node.sgd.pointee
        return Sgd(momentum: m.momentum, nesterov: m.nesterov != 0, weightDecay: m.weight_decay)
    }
    public override var entry: OperatorEntry { Sgd.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.sgd = wire.message(apus__sgd__init) {
            $0.momentum = momentum
            $0.nesterov = nesterov ? 1 : 0
            $0.weight_decay = weightDecay
        }
    }

    // MARK: Shape rule

    override func checkAttributes() throws(ApusError) {
        guard momentum >= 0 && momentum <= 1 else { throw .shape("a momentum outside 0 ... 1") }
    }

    // MARK: Kernel choice

    override var kind: ck_optimizer_kind { CK_SGD }
    override var kernelDecays: Bool { true }
    override var attributes: ck_optimizer_params {
        var params = ck_optimizer_params()
        params.momentum = Double(momentum)
        params.nesterov = nesterov ? 1 : 0
        params.decay = Double(weightDecay)
        return params
    }
}
