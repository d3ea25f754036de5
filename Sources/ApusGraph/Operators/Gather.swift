import CKernels
import CModelFormat

/// y[…, k, …] = table[…, indices[k], …] along an axis; an index outside −length ..< length gives zeros, codes of 0. ONNX: Gather.
///
/// Inputs: table of any type; indices of any shape, i32 or i64, −1 the last. Output: y, shaped like the table with the
/// shape of the indices in the place of the axis.
public final class Gather: Operator {
    public let axis: Int

    public init(axis: Int = 0) { self.axis = axis }

    // MARK: Wire

    public static let entry = OperatorEntry("Gather", APUS__NODE__OPERATOR_GATHER) { node throws(ApusError) in
        Gather(axis: Int(node.gather.pointee.axis))
    }
    public override var entry: OperatorEntry { Gather.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) { node.gather = wire.axis(axis) }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try inputs[0].requireMovable("table")
        try inputs[1].requireIndices("indices")
        return [inputs[0].moved(to: try Gather.shape(inputs[0].shape, inputs[1].shape, axis))]
    }

    /// The shape of y.
    static func shape(_ table: Shape, _ indices: Shape, _ axis: Int) throws(ApusError) -> Shape {
        let axis = try table.axis(axis)
        guard table.rank - 1 + indices.rank <= Shape.maximumRank else {
            throw .shape("table \(table) by indices \(indices): more than \(Shape.maximumRank) dimensions")
        }
        let sizes = table.dimensions
        return Shape(sizes[..<axis] + indices.dimensions + sizes[(axis + 1)...])
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        var params = try Gather.params(site.inputs[0].shape, site.inputs[1], axis)
        let units = site.outputs[0].shape.count == 0 ? 0 : ck_gather_units(&params)
        return try KernelPlan(ck_gather(site.dtype, site.isa), params, units: units, at: site)
    }

    static func params(_ table: Shape, _ indices: TensorType, _ axis: Int) throws(ApusError) -> ck_gather_params {
        let axis = try table.axis(axis)
        var params = ck_gather_params()
        params.outer = Int64(table.product(0..<axis))
        params.axis = Int64(table[axis])
        params.inner = Int64(table.product(axis + 1..<table.rank))
        params.count = Int64(indices.shape.count)
        params.index_dtype = Int32(indices.dtype.rawValue)
        return params
    }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [g.wanted[0] ? try g(GatherGradient(axis: axis), g.dy(), g.inputs[1], g.x) : nil, nil]
    }
}
