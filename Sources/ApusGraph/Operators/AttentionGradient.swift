import CKernels
import CModelFormat

/// The gradient of attention: with p[i, j] = e[j] / Σ e of query i and c[i, j] = dy[i]·v[j], dv[j] = Σ p[i, j]·dy[i],
/// d[i, j] = scale·p[i, j]·(c[i, j] − Σ p[i]·c[i]), dq[i] = Σ d[i, j]·k[j], dk[j] = Σ d[i, j]·q[i]. The scores are computed
/// again, a block of queries at a time, so that no matrix of all of them exists (Dao et al. 2022).
///
/// Inputs: q, k, v, mask if there is one, of the attention; dy, shaped like its y. Outputs: dq, dk, dv.
public final class AttentionGradient: Operator {
    public let attention: Attention

    public init(_ attention: Attention) { self.attention = attention }

    // MARK: Wire

    public static let entry = OperatorEntry("AttentionGradient", APUS__NODE__OPERATOR_ATTENTION_GRADIENT) {
        node throws(ApusError) in AttentionGradient(Attention(wire: node.attention_gradient))
    }
    public override var entry: OperatorEntry { AttentionGradient.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.attention_gradient = attention.encoded(wire)
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { attention.hasMask ? 5...5 : 4...4 }
    public override var outputCount: Int { 3 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let y = try attention.outputTypes(Array(inputs.dropLast()))[0]
        try inputs[inputs.count - 1].require("dy", exactly: y)
        return Array(inputs.prefix(3))
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        var params = ck_attention_gradient_params()
        params.attention = attention.params(site)
        guard let pack = ck_pack_panels(site.dtype, site.dtype, site.isa) else { throw .unsupported("no kernel for these types") }
        params.pack = pack
        let bytes = Int(ck_attention_gradient_workspace(&params, site.dtype, Int32(site.lanes)))
        let a = params.attention
        return KernelPlan(
            [
                try Launch(
                    ck_attention_gradient(site.dtype, site.isa), params, units: ck_attention_gradient_units(&params),
                    site.allOperands + [.workspace(0)])
            ], workspaceBytes: bytes,
            operations: 2 * Shape([a.batch, a.heads, a.queries, a.keys, 3 * a.size + 2 * a.value_size].map { Int($0) }).count)
    }
}
