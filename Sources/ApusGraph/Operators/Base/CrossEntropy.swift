import CKernels

/// What the cross entropies from logits and their gradients share: every row of the logits [..., K] for itself.
public class CrossEntropy: Operator {
    public init() {}

    /// The kernel's operation.
    var operation: ck_cross_entropy_op { CK_CROSS_ENTROPY_DENSE }

    // MARK: Shape rule

    /// The type of the losses [...] of logits [..., K].
    static func losses(_ logits: TensorType) throws(ApusError) -> TensorType {
        try logits.require("logits", minimumRank: 1, float: true)
        guard logits.shape.last > 0 else { throw .shape("logits \(logits) of no class, wanted 1 or more") }
        return TensorType(logits.dtype, logits.shape.removing(logits.shape.rank - 1))
    }

    /// Targets [..., K] of probabilities.
    static func requireTargets(_ targets: TensorType, for logits: TensorType) throws(ApusError) {
        try targets.require("targets", exactly: logits)
    }

    /// Labels [...] of i32.
    static func requireLabels(_ labels: TensorType, for logits: TensorType) throws(ApusError) {
        try labels.require("labels", exactly: TensorType(.i32, try losses(logits).shape))
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape
        var params = ck_cross_entropy_params()
        params.rows = Int64(x.product(0..<x.rank - 1))
        params.width = Int64(x.last)
        return try KernelPlan(
            ck_cross_entropy(operation, site.dtype, site.isa), params, units: ck_cross_entropy_units(&params),
            at: site, operations: 25 * x.count)
    }
}
