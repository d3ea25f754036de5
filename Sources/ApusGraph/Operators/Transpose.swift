import CKernels
import CModelFormat

/// y's dimension i is x's dimension permutation[i]. ONNX: Transpose with its permutation given.
public final class Transpose: Operator {
    public let permutation: [Int]

    public init(_ permutation: [Int]) { self.permutation = permutation }

    // MARK: Wire

    public static let entry = OperatorEntry("Transpose", APUS__NODE__OPERATOR_TRANSPOSE) { node throws(ApusError) in
        let m = node.transpose.pointee
        return Transpose(try wireList(m.n_permutation, m.permutation, limit: Shape.maximumRank, "axes"))
    }
    public override var entry: OperatorEntry { Transpose.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.transpose = wire.message(apus__transpose__init) {
            $0.n_permutation = permutation.count
            $0.permutation = wire.uint32s(permutation)
        }
    }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0]
        try x.requireMovable("x")
        guard permutation.count == x.shape.rank else {
            throw .shape("permutation of \(permutation.count) axes, wanted \(x.shape.rank) for shape \(x.shape)")
        }
        var seen: UInt32 = 0
        var y = Shape()
        for axis in permutation {
            guard axis >= 0 && axis < x.shape.rank && seen >> UInt32(axis) & 1 == 0 else {
                throw .shape("axis \(axis) in the permutation, wanted each of 0 ..< \(x.shape.rank) once")
            }
            seen |= 1 << UInt32(axis)
            y.append(x.shape[axis])
        }
        return [x.moved(to: y)]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let y = site.outputs[0].shape
        var source = StridedView(of: site.inputs[0].shape)
        source.strides = permutation.map { source.strides[$0] }
        return KernelPlan([
            try stridedCopy(
                site, y, dtype: site.outputs[0].dtype, from: source, .input(0), to: StridedView(of: y), .output(0))
        ])
    }

    // MARK: Gradient

    /// The inverse permutation.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        var inverse = permutation
        for (i, axis) in permutation.enumerated() { inverse[axis] = i }
        return [try g(Transpose(inverse), g.dy())]
    }
}
