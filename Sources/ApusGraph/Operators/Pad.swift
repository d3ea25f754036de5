import CKernels
import CModelFormat

/// y = x with `before` and `after` further elements at the ends of each axis. ONNX: Pad.
///
/// They are `value`; or x mirrored at its first and last element, repeatedly where that is not enough
/// (c b | a b c | b a); or its first and last element again.
/// Input: x. Output: y of x's type, which must have the number `value`; among quantized codes 0 alone.
public final class Pad: Operator {
    public enum Mode: UInt32, Sendable {
        case constant, reflect, edge
    }

    public let mode: Mode
    /// One per axis of x.
    public let before, after: [Int]
    public let value: Float

    public init(before: [Int], after: [Int], mode: Mode = .constant, value: Float = 0) {
        self.mode = mode
        self.before = before
        self.after = after
        self.value = value
    }

    // MARK: Wire

    public static let entry = OperatorEntry("Pad", APUS__NODE__OPERATOR_PAD) { node throws(ApusError) in
        let m = node.pad.pointee
        guard let mode = Mode(rawValue: UInt32(m.mode.rawValue)) else {
            throw .file("padding mode \(m.mode.rawValue), wanted 0 ... 2")
        }
        return Pad(
            before: try wireList(m.n_before, m.before, limit: Shape.maximumRank, "axes to pad"),
            after: try wireList(m.n_after, m.after, limit: Shape.maximumRank, "axes to pad"), mode: mode,
            value: m.value)
    }
    public override var entry: OperatorEntry { Pad.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.pad = wire.message(apus__pad__init) {
            $0.mode = Apus__Pad__Mode(mode.rawValue)
            $0.n_before = before.count
            $0.before = wire.uint32s(before)
            $0.n_after = after.count
            $0.after = wire.uint32s(after)
            $0.value = value
        }
    }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0]
        try x.requireMovable("x", minimumRank: 1)
        guard before.count == x.shape.rank && after.count == x.shape.rank else {
            throw .shape("padding of \(before.count) and \(after.count) axes, wanted \(x.shape.rank) for \(x.shape)")
        }
        guard mode != .constant || Pad.bits(of: value, x) != nil else {
            throw .shape("padding value \(value), which \(x.dtype.name) does not have")
        }
        var y = Shape()
        for axis in 0..<x.shape.rank {
            for width in [before[axis], after[axis]] where width < 0 || width > Shape.maximumExtent {
                throw .shape("padding \(width) along axis \(axis), wanted 0 ... \(Shape.maximumExtent)")
            }
            guard mode == .constant || x.shape[axis] > 0 || before[axis] + after[axis] == 0 else {
                throw .shape("x \(x) has nothing along axis \(axis) to pad with")
            }
            y.append(before[axis] + x.shape[axis] + after[axis])
        }
        return [x.moved(to: y)]
    }

    /// The element that stands for `value`: among codes 0 is the zero point, and no other is known.
    private static func bits(of value: Float, _ x: TensorType) -> UInt64? {
        guard let quantization = x.quantization else { return x.dtype.bits(of: Double(value)) }
        return value == 0 ? x.dtype.bits(of: Double(quantization.zeroPoints.first ?? 0)) : nil
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0], y = site.outputs[0]
        var params = ck_pad_params()
        params.rank = Int32(x.shape.rank)
        params.mode = Int32(mode.rawValue)
        setElements(&params.size, x.shape.dimensions)
        setElements(&params.before, before)
        setElements(&params.after, after)
        setBytes(&params.value, Pad.bits(of: value, x) ?? 0)
        let units = y.shape.count == 0 ? 0 : ck_pad_units(&params)
        return try KernelPlan(ck_pad(site.dtype, site.isa), params, units: units, at: site)
    }

    // MARK: Gradient

    /// Axis by axis: dy without the margins, plus the margins' gradients where their values came from.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        var dx = try g.dy()
        for axis in before.indices where before[axis] > 0 || after[axis] > 0 {
            let dy = dx
            dx = try g(Slice(axes: [axis], starts: [before[axis]], ends: [Pad.end(before: after[axis])]), dy)
            switch mode {
            case .constant: break
            case .edge: dx = try addEdges(g, dx, dy, axis)
            case .reflect: dx = try addReflections(g, dx, dy, axis, length: g.x.shape[axis])
            }
        }
        return [dx]
    }

    /// The end of a slice that leaves out the last `count` elements.
    private static func end(before count: Int) -> Int { count == 0 ? Int(Int32.max) : -count }

    /// The first element gets the sum over the margin before it, the last one that over the margin after it.
    private func addEdges(_ g: Gradient, _ interior: Value, _ dy: Value, _ axis: Int) throws(ApusError) -> Value {
        let sum = Reduction(.sum, axes: [axis], keepDimensions: true)
        var dx = interior
        if before[axis] > 0 {
            let margin = try g(Slice(axes: [axis], starts: [0], ends: [before[axis]]), dy)
            dx = try g(.add, dx, g(SliceGradient(axes: [axis], starts: [0], ends: [1]), g(sum, margin), interior))
        }
        if after[axis] > 0 {
            let margin = try g(Slice(axes: [axis], starts: [-after[axis]], ends: [Int(Int32.max)]), dy)
            let last = SliceGradient(axes: [axis], starts: [-1], ends: [Int(Int32.max)])
            dx = try g(.add, dx, g(last, g(sum, margin), interior))
        }
        return dx
    }

    /// The margins come back mirrored, beside the element at which they were.
    private func addReflections(
        _ g: Gradient, _ interior: Value, _ dy: Value, _ axis: Int, length: Int
    ) throws(ApusError) -> Value {
        guard max(before[axis], after[axis]) < length else {
            throw .unsupported("gradient of a reflection wider than the axis \(axis) of \(length) elements")
        }
        var dx = interior
        if before[axis] > 0 {
            let margin = try g(
                Slice(axes: [axis], starts: [before[axis] - 1], ends: [Int(Int32.min)], steps: [-1]), dy)
            let place = SliceGradient(axes: [axis], starts: [1], ends: [before[axis] + 1])
            dx = try g(.add, dx, g(place, margin, interior))
        }
        if after[axis] > 0 {
            let margin = try g(Slice(axes: [axis], starts: [-1], ends: [-after[axis] - 1], steps: [-1]), dy)
            let place = SliceGradient(axes: [axis], starts: [-after[axis] - 1], ends: [-1])
            dx = try g(.add, dx, g(place, margin, interior))
        }
        return dx
    }
}
