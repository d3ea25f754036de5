import CKernels
import CModelFormat

/// Undoes a reduction over `axes`: every element of `like` along them takes the reduced element, y[i, j] = x[i].
///
/// Inputs: x, shaped as such a reduction of `like`; like, whose values are not read. Output: y, shaped like `like`.
public final class ExpandLike: Operator {
    private let attributes: Axes

    public var axes: [Int] { attributes.list }
    public var keepDimensions: Bool { attributes.keepDimensions }

    /// No axes: all of them. `keepDimensions`: x has 1 in their place.
    public init(axes: [Int] = [], keepDimensions: Bool = false) {
        attributes = Axes(axes, keepDimensions: keepDimensions)
        super.init(inputsRead: 1)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("ExpandLike", APUS__NODE__OPERATOR_EXPAND_LIKE) { node throws(ApusError) in
        let attributes = try Axes(wire: node.expand_like)
        return ExpandLike(axes: attributes.list, keepDimensions: attributes.keepDimensions)
    }
    public override var entry: OperatorEntry { ExpandLike.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.expand_like = attributes.encoded(wire)
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0], like = inputs[1]
        try x.requireMovable("x", codes: false)
        let wanted = try attributes.reduced(like.shape)
        guard x.shape == wanted else { throw .shape("x \(x.shape), wanted \(wanted) to expand to \(like.shape)") }
        return [TensorType(x.dtype, like.shape)]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let y = site.outputs[0].shape
        let mask = try attributes.mask(y)
        let kept = StridedView(of: y.reduced(mask, keep: true))
        var source = kept
        for axis in 0..<y.rank where mask >> UInt32(axis) & 1 == 1 { source.strides[axis] = 0 }
        return KernelPlan([
            try stridedCopy(
                site, y, dtype: site.outputs[0].dtype, from: source, .input(0), to: StridedView(of: y), .output(0))
        ])
    }
}
