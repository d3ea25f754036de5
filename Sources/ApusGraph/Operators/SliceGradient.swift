import CKernels
import CModelFormat

/// dx = zeros, with dy where Slice of the same attributes took y from.
///
/// Inputs: dy, shaped as that slice of x; x, whose values are not read. Output: dx, shaped like x.
public final class SliceGradient: Operator {
    private let bounds: SliceBounds

    /// No steps: all are 1.
    public convenience init(axes: [Int], starts: [Int], ends: [Int], steps: [Int] = []) {
        self.init(SliceBounds(axes: axes, starts: starts, ends: ends, steps: steps))
    }

    init(_ bounds: SliceBounds) {
        self.bounds = bounds
        super.init(inputsRead: 1)
    }

    // MARK: Wire

    public static let entry = OperatorEntry("SliceGradient", APUS__NODE__OPERATOR_SLICE_GRADIENT) {
        node throws(ApusError) in SliceGradient(try SliceBounds(wire: node.slice_gradient))
    }
    public override var entry: OperatorEntry { SliceGradient.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.slice_gradient = bounds.encoded(wire)
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let dy = inputs[0], x = inputs[1]
        try dy.requireMovable("dy", codes: false)
        let wanted = try bounds.part(of: x.shape).size
        guard dy.shape == wanted else { throw .shape("dy \(dy.shape), wanted \(wanted), the slice of \(x.shape)") }
        return [TensorType(dy.dtype, x.shape)]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let dx = site.outputs[0]
        let (size, part) = try bounds.part(of: dx.shape)
        return KernelPlan([
            try fill(site, dx, bits: 0, .output(0)),
            try stridedCopy(site, size, dtype: dx.dtype, from: StridedView(of: size), .input(0), to: part, .output(0)),
        ])
    }
}
