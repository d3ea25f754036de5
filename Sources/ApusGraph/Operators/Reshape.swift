import CKernels
import CModelFormat

/// y = x's elements in the same order under another shape. ONNX: Reshape with a constant shape.
///
/// In `shape`, 0 keeps the extent that x has there, and one −1 takes what is left.
public final class Reshape: Operator {
    public let shape: [Int]

    public init(_ shape: [Int]) {
        self.shape = shape
        super.init(isView: true)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("Reshape", APUS__NODE__OPERATOR_RESHAPE) { node throws(ApusError) in
        let m = node.reshape.pointee
        return Reshape(try wireList(m.n_shape, m.shape, limit: Shape.maximumRank, "extents"))
    }
    public override var entry: OperatorEntry { Reshape.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.reshape = wire.message(apus__reshape__init) {
            $0.n_shape = shape.count
            $0.shape = wire.int32s(shape)
        }
    }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0]
        try x.requireMovable("x")
        guard shape.count <= Shape.maximumRank else {
            throw .shape("\(shape.count) extents, wanted at most \(Shape.maximumRank)")
        }
        var y = Shape()
        var inferred: Int?
        for (i, extent) in shape.enumerated() {
            switch extent {
            case 1...:
                y.append(extent)
            case 0 where i < x.shape.rank:
                y.append(x.shape[i])
            case -1 where inferred == nil:
                inferred = i
                y.append(1)
            default:
                throw .shape("extent \(extent) at \(i), wanted 1 or more, 0 to keep one of \(x.shape), or one −1")
            }
        }
        let known = y.count
        if let inferred, known > 0 { y[inferred] = x.shape.count / known }
        guard y.count == x.shape.count, inferred == nil || known > 0 else {
            throw .shape("x \(x.shape) does not reshape to \(Shape(shape))")
        }
        return [x.moved(to: y)]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan { try viewCopy(site) }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [try g(ReshapeLike(), g.dy(), g.x)] }
}
