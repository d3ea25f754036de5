import CKernels
import CModelFormat

/// y = x as a matrix: the dimensions before `axis` are its rows, the others its columns. ONNX: Flatten.
///
/// Input: x [d0, …]. Output: y [d0·…·d(axis−1), d(axis)·…]; an axis of 0 gives one row.
public final class Flatten: Operator {
    public let axis: Int

    public init(axis: Int = 1) {
        self.axis = axis
        super.init(isView: true)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("Flatten", APUS__NODE__OPERATOR_FLATTEN) { node throws(ApusError) in
        Flatten(axis: Int(node.flatten.pointee.axis))
    }
    public override var entry: OperatorEntry { Flatten.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) { node.flatten = wire.axis(axis) }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0]
        try x.requireMovable("x")
        let axis = self.axis < 0 ? self.axis + x.shape.rank : self.axis
        guard axis >= 0 && axis <= x.shape.rank else {
            throw .shape("axis \(self.axis), wanted \(-x.shape.rank) ... \(x.shape.rank) for shape \(x.shape)")
        }
        return [x.moved(to: [x.shape.product(0..<axis), x.shape.product(axis..<x.shape.rank)])]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan { try viewCopy(site) }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [try g(ReshapeLike(), g.dy(), g.x)] }
}
