import CKernels
import CModelFormat

/// y = x with `before` and `after` further elements at the ends of each axis. ONNX: Pad.
///
/// They are `value`; or x mirrored at its first and last element, repeatedly where that is not enough (c b | a b c | b a);
/// or its first and last element again. Input: x. Output: y of x's type, which must have the number `value`.
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
        guard mode != .constant || x.dtype.bits(of: Double(value)) != nil else {
            throw .shape("a padding value that \(x.dtype.name) does not have")
        }
        var y = Shape()
        for axis in 0..<x.shape.rank {
            for width in [before[axis], after[axis]] where width < 0 || width > Shape.maximumExtent {
                throw .shape("padding \(width) along axis \(axis), wanted 0 ... \(Shape.maximumExtent)")
            }
            guard mode == .constant || x.shape[axis] > 0 else {
                throw .shape("x \(x) has nothing along axis \(axis) to pad with")
            }
            y.append(before[axis] + x.shape[axis] + after[axis])
        }
        return [TensorType(x.dtype, y)]
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
        setBytes(&params.value, x.dtype.bits(of: Double(value)) ?? 0)
        let units = y.shape.count == 0 ? 0 : ck_pad_units(&params)
        return try KernelPlan(ck_pad(site.dtype, site.isa), params, units: units, at: site)
    }

    // MARK: Gradient

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        guard mode == .constant else { throw .unsupported("gradient of padding by reflection or edge") }
        let ends = after.map { $0 == 0 ? Int(Int32.max) : -$0 }
        return [try g(Slice(axes: [Int](before.indices), starts: before, ends: ends), g.dy())]
    }
}
