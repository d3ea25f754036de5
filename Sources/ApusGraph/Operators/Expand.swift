import CKernels
import CModelFormat

/// y = x repeated along dimensions of extent 1, or along new ones in front. ONNX: Expand with a constant shape.
///
/// `shape` is aligned with x's from the right and broadcast with it; 0 keeps x's extent.
public final class Expand: Operator {
    public let shape: [Int]

    public init(_ shape: [Int]) { self.shape = shape }

    // MARK: Wire

    public static let entry = OperatorEntry("Expand", APUS__NODE__OPERATOR_EXPAND) { node throws(ApusError) in
        let m = node.expand.pointee
        return Expand(try wireList(m.n_shape, m.shape, limit: Shape.maximumRank, "extents"))
    }
    public override var entry: OperatorEntry { Expand.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.expand = wire.message(apus__expand__init) {
            $0.n_shape = shape.count
            $0.shape = wire.int32s(shape)
        }
    }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0]
        try x.requireMovable("x")
        var target = Shape()
        for (i, extent) in shape.enumerated() {
            let axis = i - (shape.count - x.shape.rank)
            guard extent > 0 || (extent == 0 && axis >= 0) else {
                throw .shape("extent \(extent) at \(i), wanted 1 or more, or 0 to keep one of \(x.shape)")
            }
            target.append(extent == 0 ? x.shape[axis] : extent)
        }
        return [x.moved(to: try Shape.broadcast(x.shape, target))]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0], y = site.outputs[0].shape
        return KernelPlan([
            try stridedCopy(
                site, y, dtype: x.dtype, from: .broadcasting(x.shape, to: y), .input(0), to: StridedView(of: y),
                .output(0))
        ])
    }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [try g(SumLike(), g.dy(), g.x)] }
}
