import CKernels
import CModelFormat

/// y = a where the condition holds, else b, broadcast. ONNX: Where.
///
/// Inputs: condition, bool; a, b of one type of whole bytes. Output: y of that type.
public final class Where: Operator {
    public init() {}

    // MARK: Wire

    public static let entry = OperatorEntry("Where", APUS__NODE__OPERATOR_WHERE) {
        _ throws(ApusError) in Where()
    }
    public override var entry: OperatorEntry { Where.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 3...3 }
    /// Nothing is larger than y, so that equal sizes in bytes mean equal shapes.
    public override func mayOverwrite(input: Int, output: Int) -> Bool { true }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let condition = inputs[0], a = inputs[1], b = inputs[2]
        try condition.require("condition", dtype: .bool)
        try a.requireMovable("a")
        try b.requireMovable("b")
        try b.requireLike(a, "b")
        let values = try Shape.broadcast(a.shape, b.shape)
        return [a.moved(to: try Shape.broadcast(condition.shape, values))]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let y = site.outputs[0]
        var params = ck_where_params()
        if y.shape.count > 0 {
            let rank = y.shape.rank
            let sizes = site.inputs.map { $0.shape.aligned(to: rank) }
            params = ck_where_broadcast(Int32(rank), sizes[0], sizes[1], sizes[2])
        } else {
            params.rank = 1
        }
        return try KernelPlan(
            ck_where(y.dtype.ck, site.isa), params, units: ck_where_units(&params), at: site,
            operations: y.shape.count)
    }

    // MARK: Gradient

    /// da = dy where the condition holds, db = dy where it does not, 0 elsewhere.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        let condition = g.inputs[0], dy = try g.dy(), zero = try g.scalar(0)
        return [
            nil,
            g.wanted[1] ? try g.sum(try g(Where(), condition, dy, zero), like: g.inputs[1]) : nil,
            g.wanted[2] ? try g.sum(try g(Where(), condition, zero, dy), like: g.inputs[2]) : nil,
        ]
    }
}
