import CKernels
import CModelFormat

/// y[…, i] = W[indices[…], i] · s[indices[…], ⌊i/B⌋]: rows of an integer table as real numbers; an index outside −R ..< R gives
/// zeros. ONNX: Gather over DequantizeLinear.
///
/// Inputs: W [R, C], i8, or i4 with an even C; s [R, ⌈C/B⌉], f16; indices of any shape, i32 or i64, −1 the last. B is
/// `blockSize`, or C where that is 0. Output: y [..., C], f32.
/// Docs/Quantization.md, section 7.
public final class WeightOnlyGather: Operator {
    /// 32, 64 or 128; 0: all columns of W.
    public let blockSize: Int

    public init(blockSize: Int = 0) { self.blockSize = blockSize }

    // MARK: Wire

    public static let entry = OperatorEntry("WeightOnlyGather", APUS__NODE__OPERATOR_WEIGHT_ONLY_GATHER) { node throws(ApusError) in
        WeightOnlyGather(blockSize: Int(node.weight_only_gather.pointee.block_size))
    }
    public override var entry: OperatorEntry { WeightOnlyGather.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.weight_only_gather = wire.message(apus__weight_only_gather__init) { $0.block_size = UInt32(clamping: blockSize) }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 3...3 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let w = inputs[0], indices = inputs[2]
        guard w.dtype == .i8 || w.dtype == .i4, w.layout == .plain, w.quantization == nil, w.shape.rank == 2 else {
            throw .shape("table \(w), wanted plain i8 or i4 of rank 2 without a quantization of its own")
        }
        let columns = w.shape[1]
        guard columns >= 1 && columns <= SlidingWindow.maximumExtent && (w.dtype == .i8 || columns % 2 == 0) else {
            throw .shape("table \(w) of \(columns) columns, wanted 1 ... \(SlidingWindow.maximumExtent) and, for i4, an even number")
        }
        guard [0, 32, 64, 128].contains(blockSize) else {
            throw .shape("blocks of \(blockSize) columns, wanted 32, 64, 128, or 0 for all")
        }
        let blocks = blockSize == 0 ? 1 : (columns + blockSize - 1) / blockSize
        try inputs[1].require("scales", exactly: TensorType(.f16, [w.shape[0], blocks]))
        try indices.requireIndices("indices")
        return [TensorType(.f32, try Gather.shape(w.shape, indices.shape, 0))]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let w = site.inputs[0], indices = site.inputs[2]
        let params = ck_weight_only_gather_params(
            rows: Int64(w.shape[0]), columns: Int64(w.shape[1]), block: Int64(blockSize == 0 ? w.shape[1] : blockSize),
            count: Int64(indices.shape.count), index_dtype: Int32(indices.dtype.rawValue))
        return try KernelPlan(
            ck_weight_only_gather(w.dtype.ck, site.isa), params, units: indices.shape.count, at: site,
            operations: site.outputs[0].shape.count)
    }
}
