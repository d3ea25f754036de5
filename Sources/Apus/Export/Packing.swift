import ApusGraph
import ApusRuntime
import CKernels

/// Turns plain weights into the layout and the element type that kernels read.
public enum Packing {
    /// A plain constant in another layout and, where given, of another element type.
    public static func pack(
        _ constant: Constant, as layout: Layout, _ dtype: DType? = nil
    ) throws(ApusError) -> Constant {
        var type = constant.type
        guard type.layout == .plain else { throw .argument("'\(constant.name)' is packed already") }
        type.layout = layout
        try type.check()
        let packed = HeapStorage(size: type.byteSize)
        switch layout {
        case .plain: packed.memory.copyMemory(from: constant.bytes.baseAddress!, byteCount: type.byteSize)
        case .panels: try panels(constant, type, into: packed)
        case .convPanels(let groups): try convPanels(constant, type, groups, into: packed)
        case .winogradPanels(let tile): try winogradPanels(constant, type, tile, into: packed)
        case .panels4, .convPanels4: try panels4(constant, type, packs: true, into: packed)
        }
        let result = Constant(constant.name, type, packed)
        return dtype == nil || dtype == type.dtype ? result : try cast(result, to: dtype!)
    }

    /// The same elements in a plain layout: `pack` makes the same bytes of them again.
    public static func unpack(_ constant: Constant) throws(ApusError) -> Constant {
        let layout = constant.type.layout
        if layout == .plain { return constant }
        var type = constant.type
        type.layout = .plain
        let plain = HeapStorage(size: type.byteSize)
        // A matrix in panels is laid out like the weights of a convolution of one tap.
        switch layout {
        case .panels:
            let matrices = type.shape.product(0..<type.shape.rank - 2)
            let params = convolution([1, 1, type.shape[type.shape.rank - 2], type.shape.last], groups: 1)
            try unpackPanels(constant, params, count: matrices, into: plain)
        case .convPanels(let groups): try unpackPanels(constant, convolution(type.shape, groups: groups), into: plain)
        case .winogradPanels(let tile): try untransform(constant, tile, into: plain)
        case .panels4, .convPanels4: try panels4(constant, constant.type, packs: false, into: plain)
        case .plain: break
        }
        return Constant(constant.name, type, plain)
    }

    /// The same elements in the same layout as another float type, rounded to nearest. Throws where a finite value would
    /// become infinite.
    public static func cast(_ constant: Constant, to dtype: DType) throws(ApusError) -> Constant {
        var type = constant.type
        type.dtype = dtype
        let result = HeapStorage(size: type.byteSize)
        var params = ck_cast_params(
            count: Int64(type.byteSize / (dtype.bitWidth / 8)),
            from: Int32(constant.type.dtype.rawValue), to: Int32(dtype.rawValue))
        let task = ck_cast(constant.type.dtype.ck, dtype.ck, CK_ISA_REFERENCE)
        try run(
            task, params, units: ck_cast_units(&params), "\(constant.type)", from: constant.bytes.baseAddress, to: result)
        let converted = Constant(constant.name, type, result)
        let wasInfinite = try constant.hasInfinity(), isInfinite = try converted.hasInfinity()
        guard wasInfinite || !isInfinite else {
            throw .unsupported("'\(constant.name)' has values beyond the range of \(dtype.name)")
        }
        return converted
    }

    private static func panels(
        _ constant: Constant, _ type: TensorType, into packed: HeapStorage
    ) throws(ApusError) {
        let shape = type.shape
        var params = ck_panels_params()
        params.k = Int64(shape[shape.rank - 2])
        params.n = Int64(shape.last)
        let matrix = StoredMatrix(constant)
        params.row_stride = Int64(matrix.rowStride)
        params.column_stride = Int64(matrix.columnStride)
        params.batch = Int64(shape.product(0..<(shape.rank - 2)))
        params.batch_stride = params.k * params.n
        let task = ck_pack_panels(constant.type.dtype.ck, type.dtype.ck, CK_ISA_REFERENCE)
        try run(task, params, units: ck_panels_units(&params), "\(constant.type)", from: matrix.base, to: packed)
    }

    private static func convPanels(
        _ constant: Constant, _ type: TensorType, _ groups: Int, into packed: HeapStorage
    ) throws(ApusError) {
        var params = convolution(type.shape, groups: groups)
        try run(
            ck_conv_pack(type.dtype.ck), params, units: ck_conv_panels(&params), "\(constant.type)",
            from: constant.bytes.baseAddress, to: packed)
    }

    private static func winogradPanels(
        _ constant: Constant, _ type: TensorType, _ tile: Int, into packed: HeapStorage
    ) throws(ApusError) {
        var params = ck_winograd_params(
            conv: convolution(type.shape, groups: 1), tile: Int32(tile), transposed: 0)
        try run(
            ck_winograd_pack(type.dtype.ck, InstructionSet.selected), params, units: ck_winograd_panels(&params),
            "\(constant.type)", from: constant.bytes.baseAddress, to: packed)
    }

    /// Plain weights of which `winogradPanels` makes the same panels.
    private static func untransform(
        _ constant: Constant, _ tile: Int, into plain: HeapStorage
    ) throws(ApusError) {
        guard constant.type.dtype == .f32 else { throw .unsupported("unpacking '\(constant.name)', \(constant.type)") }
        let depth = constant.type.shape[2], columns = constant.type.shape[3], count = (tile + 2) * (tile + 2)
        let inverse = WinogradInverse(tile: tile)
        let u = constant.bytes.bindMemory(to: Float.self)
        let g = plain.memory.bindMemory(to: Float.self, capacity: 9 * depth * columns)
        for c in 0..<depth {
            for o in 0..<columns {
                let taps = inverse.taps((0..<count).map { u[((o / 16 * count + $0) * depth + c) * 16 + o % 16] })
                for tap in 0..<9 { g[(tap * depth + c) * columns + o] = taps[tap] }
            }
        }
    }

    /// Between plain integers and their panels, which `packed` has the type of.
    private static func panels4(
        _ constant: Constant, _ packed: TensorType, packs: Bool, into result: HeapStorage
    ) throws(ApusError) {
        let shape = packed.shape
        var matrices = shape.product(0..<shape.rank - 2)
        var params = convolution([1, 1, shape[shape.rank - 2], shape.last], groups: 1)
        if case .convPanels4(let groups) = packed.layout {
            params = convolution(shape, groups: groups)
            matrices = 1
        }
        guard matrices == 1 else { throw .unsupported("\(matrices) matrices in '\(constant.name)', wanted 1") }
        let task = packs ? ck_pack_panels4(packed.dtype.ck) : ck_unpack_panels4(packed.dtype.ck)
        try run(
            task, params, units: ck_panels4_units(&params), "\(packed)", from: constant.bytes.baseAddress, to: result)
    }

    /// `count` weights in panels, one after another.
    private static func unpackPanels(
        _ constant: Constant, _ params: ck_conv_params, count: Int = 1, into plain: HeapStorage
    ) throws(ApusError) {
        var params = params
        guard let task = ck_conv_unpack(constant.type.dtype.ck) else { throw .unsupported("unpacking \(constant.type)") }
        let packed = constant.bytes
        guard count > 0, let base = packed.baseAddress else { return }
        let panels = ck_conv_panels(&params)
        for i in 0..<count {
            let operands: [UnsafeMutableRawPointer?] = [
                UnsafeMutableRawPointer(mutating: base + i * (packed.count / count)),
                plain.memory + i * (plain.size / count),
            ]
            withUnsafeBytes(of: params) { task($0.baseAddress, operands, 0, panels, 0) }
        }
    }

    /// What the panels of weights [kh, kw, C/groups, O] depend on.
    private static func convolution(_ shape: Shape, groups: Int) -> ck_conv_params {
        var params = ck_conv_params()
        params.kernel_h = Int32(shape[0])
        params.kernel_w = Int32(shape[1])
        params.in_c = Int32(shape[2] * groups)
        params.out_c = Int32(shape[3])
        params.groups = Int32(groups)
        return params
    }

    private static func run<P>(
        _ task: ck_task?, _ params: P, units: Int, _ what: @autoclosure () -> Message, from plain: UnsafeRawPointer?,
        to packed: HeapStorage
    ) throws(ApusError) {
        guard let task else { throw .unsupported("packing " + what()) }
        let operands = [UnsafeMutableRawPointer(mutating: plain), packed.memory]
        withUnsafeBytes(of: params) { task($0.baseAddress, operands, 0, units, 0) }
    }
}

extension Constant {
    /// Whether an element of f32, f16 or bf16 is infinite: all bits of the exponent set, none of the fraction.
    fileprivate func hasInfinity() throws(ApusError) -> Bool {
        switch type.dtype {
        case .f32: bytes.bindMemory(to: UInt32.self).contains { $0 & 0x7FFF_FFFF == 0x7F80_0000 }
        case .f16: bytes.bindMemory(to: UInt16.self).contains { $0 & 0x7FFF == 0x7C00 }
        case .bf16: bytes.bindMemory(to: UInt16.self).contains { $0 & 0x7FFF == 0x7F80 }
        default: throw .unsupported("'\(name)' of \(type), wanted f32, f16 or bf16")
        }
    }
}
