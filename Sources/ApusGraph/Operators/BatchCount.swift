import CKernels
import CModelFormat

/// y = how many elements lie along the axes: the product of their lengths, as a scalar; by default the batch size.
/// Losses and means are divided by it, so that they stay right when a symbolic dimension changes.
///
/// Input: x, f32 or f64, whose values are not read. Output: y, a scalar of x's type.
public final class BatchCount: Operator {
    private let attributes: Axes

    public var axes: [Int] { attributes.list }

    /// No axes: all of them.
    public init(axes: [Int] = [0]) {
        attributes = Axes(axes)
        super.init(inputsRead: 0)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("BatchCount", APUS__NODE__OPERATOR_BATCH_COUNT) { node throws(ApusError) in
        BatchCount(axes: try Axes(wire: node.batch_count).list)
    }
    public override var entry: OperatorEntry { BatchCount.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.batch_count = attributes.encoded(wire)
    }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try inputs[0].require("x", float: true)
        _ = try attributes.mask(inputs[0].shape)
        return [TensorType(inputs[0].dtype, [])]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape
        let kept = ~(try attributes.mask(x)) & x.allAxes
        let count = x.reduced(kept, keep: false).count
        let y = site.outputs[0]
        return KernelPlan([try fill(site, y, bits: y.dtype.bits(of: Double(count)) ?? 0, .output(0))])
    }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [nil] }
}
