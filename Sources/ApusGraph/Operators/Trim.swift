import CModelFormat

/// y = the first n elements of x along its first dimension, where n is found by the run: it becomes the value of a symbolic
/// dimension, and what follows is planned for it. Apus's own: with NonZero or NonMaxSuppression it makes the operators of
/// ONNX whose output sizes depend on data.
///
/// Inputs: x [capacity, ...] of any type; count, a scalar of i64, n. Output: y [n, ...]. A count beyond the bounds of the
/// dimension, or beyond the capacity that other dimensions leave, ends the run with an error.
public final class Trim: Operator {
    /// Which of the graph's symbolic dimensions.
    public let dimension: Int

    public init(dimension: Int) {
        self.dimension = dimension
        super.init(isView: true, measuredDimension: dimension)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("Trim", APUS__NODE__OPERATOR_TRIM) { node throws(ApusError) in
        Trim(dimension: Int(node.trim.pointee.dimension))
    }
    public override var entry: OperatorEntry { Trim.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.trim = wire.message(apus__trim__init) { $0.dimension = UInt32(clamping: dimension) }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }

    public override func outputTypes(_ inputs: [TensorType], dimensions: [Int]) throws(ApusError) -> [TensorType] {
        let x = inputs[0]
        try x.requireMovable("x", minimumRank: 1)
        try inputs[1].require("count", exactly: TensorType(.i64, []))
        guard dimension < dimensions.count else {
            throw .file("symbolic dimension \(dimension), wanted 0 ..< \(dimensions.count)")
        }
        guard dimensions[dimension] <= x.shape[0] else {
            throw .shape("the first \(dimensions[dimension]) of x \(x)")
        }
        return [x.moved(to: x.shape.replacing(0, with: dimensions[dimension]))]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        try viewCopy(site)
    }
}
