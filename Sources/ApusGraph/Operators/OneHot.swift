import CKernels
import CModelFormat

/// y[…, d] = onValue where d = indices[…], else offValue; all off for an index outside −depth ..< depth. ONNX: OneHot
/// along a new last axis.
///
/// Input: indices, i32 or i64, −1 the last. Output: y [..., depth] of f32.
public final class OneHot: Operator {
    public let depth: Int
    public let onValue, offValue: Float

    public init(depth: Int, onValue: Float = 1, offValue: Float = 0) {
        self.depth = depth
        self.onValue = onValue
        self.offValue = offValue
    }

    // MARK: Wire

    public static let entry = OperatorEntry("OneHot", APUS__NODE__OPERATOR_ONE_HOT) { node throws(ApusError) in
        let m = node.one_hot.pointee
        return OneHot(depth: Int(m.depth), onValue: m.on_value, offValue: m.off_value)
    }
    public override var entry: OperatorEntry { OneHot.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.one_hot = wire.message(apus__one_hot__init) {
            $0.depth = UInt32(clamping: depth)
            $0.on_value = onValue
            $0.off_value = offValue
        }
    }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let indices = inputs[0]
        try indices.requireIndices("indices")
        guard depth >= 1 && depth <= Shape.maximumExtent else {
            throw .shape("depth \(depth), wanted 1 ... \(Shape.maximumExtent)")
        }
        guard indices.shape.rank < Shape.maximumRank else {
            throw .shape("indices \(indices) of rank \(indices.shape.rank), wanted at most \(Shape.maximumRank - 1)")
        }
        var shape = indices.shape
        shape.append(depth)
        return [TensorType(.f32, shape)]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        var params = ck_one_hot_params()
        params.outer = Int64(site.inputs[0].shape.count)
        params.depth = Int64(depth)
        params.inner = 1
        params.index_dtype = Int32(site.inputs[0].dtype.rawValue)
        setBytes(&params.on, UInt64(onValue.bitPattern))
        setBytes(&params.off, UInt64(offValue.bitPattern))
        return try KernelPlan(ck_one_hot(CK_F32, site.isa), params, units: ck_one_hot_units(&params), at: site)
    }

    // MARK: Gradient

    /// None flows to an index.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [nil] }
}
