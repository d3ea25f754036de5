import CKernels
import CModelFormat

/// The pieces of x along an axis, of the given lengths. ONNX: Split with constant sizes.
///
/// Input: x, with the sum of `sizes` along the axis. Outputs: as many as sizes.
public final class Split: Operator {
    public static let maximumPieces = 1024

    public let axis: Int
    public let sizes: [Int]

    public init(axis: Int, sizes: [Int]) {
        self.axis = axis
        self.sizes = sizes
    }

    // MARK: Wire

    public static let entry = OperatorEntry("Split", APUS__NODE__OPERATOR_SPLIT) { node throws(ApusError) in
        let m = node.split.pointee
        return Split(
            axis: Int(m.axis), sizes: try wireList(m.n_sizes, m.sizes, limit: Split.maximumPieces, "pieces"))
    }
    public override var entry: OperatorEntry { Split.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.split = wire.message(apus__split__init) {
            $0.axis = Int32(clamping: axis)
            $0.n_sizes = sizes.count
            $0.sizes = wire.uint32s(sizes)
        }
    }

    // MARK: Shape rule

    public override var outputCount: Int { sizes.count }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0]
        try x.requireMovable("x", minimumRank: 1)
        let axis = try x.shape.axis(self.axis)
        guard sizes.count >= 1 && sizes.count <= Split.maximumPieces else {
            throw .shape("\(sizes.count) pieces, wanted 1 ... \(Split.maximumPieces)")
        }
        var types: [TensorType] = []
        var length = 0
        for size in sizes {
            guard size >= 0 && size <= x.shape[axis] else {
                throw .shape("a piece of \(size), wanted 0 ... \(x.shape[axis])")
            }
            length += size
            types.append(x.moved(to: x.shape.replacing(axis, with: size)))
        }
        guard length == x.shape[axis] else {
            throw .shape("pieces of \(length) together, wanted \(x.shape[axis]), the length of axis \(axis)")
        }
        return types
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0]
        let axis = try x.shape.axis(self.axis)
        let whole = StridedView(of: x.shape)
        var position = 0
        var launches: [Launch] = []
        for (i, output) in site.outputs.enumerated() {
            launches.append(
                try stridedCopy(
                    site, output.shape, dtype: x.dtype, from: whole.from(position, along: axis), .input(0),
                    to: StridedView(of: output.shape), .output(i)))
            position += output.shape[axis]
        }
        return KernelPlan(launches)
    }

    // MARK: Gradient

    /// The pieces' gradients joined; where some are missing, the sum of the others, each in its place among zeros.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        let present = g.outputGradients.compactMap { $0 }
        if present.count == sizes.count { return [try g.builder.node(Concat(axis: axis), present)[0]] }
        var sum: Value?
        var position = 0
        for (i, size) in sizes.enumerated() {
            if let dy = g.outputGradients[i] {
                let term = try g(SliceGradient(axes: [axis], starts: [position], ends: [position + size]), dy, g.x)
                sum = if let sum { try g(.add, sum, term) } else { term }
            }
            position += size
        }
        return [sum]
    }
}
