import CKernels
import CModelFormat

/// y = the inputs one after another along an axis. ONNX: Concat.
///
/// Inputs: one or more, equal in type, quantization and in all extents but that of the axis. Output: y.
public final class Concat: Operator {
    public let axis: Int

    public init(axis: Int) { self.axis = axis }

    // MARK: Wire

    public static let entry = OperatorEntry("Concat", APUS__NODE__OPERATOR_CONCAT) { node throws(ApusError) in
        Concat(axis: Int(node.concat.pointee.axis))
    }
    public override var entry: OperatorEntry { Concat.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) { node.concat = wire.axis(axis) }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 1...1024 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let first = inputs[0]
        try first.requireMovable("input 0", minimumRank: 1)
        let axis = try first.shape.axis(self.axis)
        var length = 0
        for (i, input) in inputs.enumerated() {
            let name = Message("input \(i)").text
            try input.requireMovable(name, minimumRank: 1)
            try input.requireLike(first, name)
            guard input.shape.rank == first.shape.rank,
                input.shape.replacing(axis, with: 0) == first.shape.replacing(axis, with: 0)
            else { throw .shape("input \(i) \(input) after \(first), wanted to differ along axis \(axis) only") }
            length += input.shape[axis]
        }
        return [first.moved(to: first.shape.replacing(axis, with: length))]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let y = site.outputs[0]
        let axis = try y.shape.axis(self.axis)
        let whole = StridedView(of: y.shape)
        var position = 0
        var launches: [Launch] = []
        for (i, input) in site.inputs.enumerated() {
            launches.append(
                try stridedCopy(
                    site, input.shape, dtype: y.dtype, from: StridedView(of: input.shape), .input(i),
                    to: whole.from(position, along: axis), .output(0)))
            position += input.shape[axis]
        }
        return KernelPlan(launches)
    }

    // MARK: Gradient

    /// dy split again. The lengths along the axis become attributes, so this axis cannot be a symbolic one.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        let axis = try g.x.shape.axis(self.axis)
        let pieces = try g.builder.node(Split(axis: axis, sizes: g.inputs.map { $0.shape[axis] }), [try g.dy()])
        var gradients: [Value?] = []
        for (i, piece) in pieces.enumerated() { gradients.append(g.wanted[i] ? piece : nil) }
        return gradients
    }
}
