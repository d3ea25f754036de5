import CKernels
import CModelFormat

/// y = the elements of x between starts and ends along some axes, every step-th of them. ONNX: Slice.
///
/// Negative positions count from the end, positions outside are moved to the edge: an end of `Int(Int32.max)` takes all
/// that follows; `Int(Int32.min)`, with a negative step, all that precedes. Input: x. Output: y of x's type.
public final class Slice: Operator {
    private let bounds: SliceBounds

    public var axes: [Int] { bounds.axes }
    public var starts: [Int] { bounds.starts }
    public var ends: [Int] { bounds.ends }
    public var steps: [Int] { bounds.steps }

    /// No steps: all are 1.
    public convenience init(axes: [Int], starts: [Int], ends: [Int], steps: [Int] = []) {
        self.init(SliceBounds(axes: axes, starts: starts, ends: ends, steps: steps))
    }

    init(_ bounds: SliceBounds) { self.bounds = bounds }

    // MARK: Wire

    public static let entry = OperatorEntry("Slice", APUS__NODE__OPERATOR_SLICE) { node throws(ApusError) in
        Slice(try SliceBounds(wire: node.slice))
    }
    public override var entry: OperatorEntry { Slice.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) { node.slice = bounds.encoded(wire) }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0]
        try x.requireMovable("x")
        return [x.moved(to: try bounds.part(of: x.shape).size)]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let (size, part) = try bounds.part(of: site.inputs[0].shape)
        return KernelPlan([
            try stridedCopy(
                site, size, dtype: site.inputs[0].dtype, from: part, .input(0), to: StridedView(of: size), .output(0))
        ])
    }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try g(SliceGradient(bounds), g.dy(), g.x)]
    }
}
