import ApusGraph
import CKernels

/// Turns plain weights into the layout and the element type that kernels read.
public enum Packing {
    /// `constant` in another layout and, where given, another element type. f32 weights may become f16 or bf16, rounded
    /// to the nearest.
    public static func pack(
        _ constant: Constant, as layout: Layout, _ dtype: DType? = nil
    ) throws(ApusError) -> Constant {
        var type = constant.type
        guard type.layout == .plain else { throw .argument("'\(constant.name)' is packed already") }
        type.layout = layout
        type.dtype = dtype ?? type.dtype
        try type.check()
        let packed = HeapStorage(size: type.byteSize)
        switch layout {
        case .plain: try cast(constant, type, into: packed)
        case .panels: try panels(constant, type, into: packed)
        case .convPanels(let groups):
            let plain = type.dtype == constant.type.dtype ? constant : try pack(constant, as: .plain, type.dtype)
            try convPanels(plain, type, groups, into: packed)
        default: throw .unsupported("packing into int8 panels")
        }
        return Constant(constant.name, type, packed)
    }

    private static func cast(_ constant: Constant, _ type: TensorType, into packed: HeapStorage) throws(ApusError) {
        var params = ck_cast_params(count: Int64(type.shape.count))
        let task = ck_cast(constant.type.dtype.ck, type.dtype.ck, CK_ISA_REFERENCE)
        try run(task, params, units: ck_cast_units(&params), from: constant, to: packed)
    }

    private static func panels(_ constant: Constant, _ type: TensorType, into packed: HeapStorage) throws(ApusError) {
        let shape = type.shape
        var params = ck_panels_params()
        params.k = Int64(shape[shape.rank - 2])
        params.n = Int64(shape.last)
        params.row_stride = params.n
        params.column_stride = 1
        params.batch = Int64(shape.product(0..<(shape.rank - 2)))
        params.batch_stride = params.k * params.n
        let task = ck_pack_panels(constant.type.dtype.ck, type.dtype.ck, CK_ISA_REFERENCE)
        try run(task, params, units: ck_panels_units(&params), from: constant, to: packed)
    }

    private static func convPanels(
        _ constant: Constant, _ type: TensorType, _ groups: Int, into packed: HeapStorage
    ) throws(ApusError) {
        var params = ck_conv_params()
        params.kernel_h = Int32(type.shape[0])
        params.kernel_w = Int32(type.shape[1])
        params.in_c = Int32(type.shape[2] * groups)
        params.out_c = Int32(type.shape[3])
        params.groups = Int32(groups)
        try run(ck_conv_pack(type.dtype.ck), params, units: ck_conv_panels(&params), from: constant, to: packed)
    }

    private static func run<P>(
        _ task: ck_task?, _ params: P, units: Int, from constant: Constant, to packed: HeapStorage
    ) throws(ApusError) {
        guard let task else { throw .unsupported("packing \(constant.type)") }
        let operands = [UnsafeMutableRawPointer(mutating: constant.bytes.baseAddress), packed.memory]
        withUnsafeBytes(of: params) { task($0.baseAddress, operands, 0, units, 0) }
    }
}
