import CKernels
import CModelFormat

/// y = x's elements in the same order under the shape of `like`.
///
/// Inputs: x; like, of as many elements, whose values are not read. Output: y of x's type.
public final class ReshapeLike: Operator {
    public init() {
        super.init(isView: true, inputsRead: 1)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("ReshapeLike", APUS__NODE__OPERATOR_RESHAPE_LIKE) { _ throws(ApusError) in
        ReshapeLike()
    }
    public override var entry: OperatorEntry { ReshapeLike.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0], like = inputs[1]
        try x.requireMovable("x")
        guard x.shape.count == like.shape.count else {
            throw .shape("x \(x.shape) does not reshape to \(like.shape)")
        }
        return [x.moved(to: like.shape)]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan { try viewCopy(site) }
}
