import CKernels

/// A strided look at a tensor: element [i, j, …] lies at offset + i·strides[0] + j·strides[1] + …
struct StridedView {
    var offset: Int
    var strides: [Int]

    /// All of a row-major tensor. Arithmetic on views wraps: strides lose their meaning, harmlessly, in a tensor
    /// without elements.
    init(of shape: Shape) {
        offset = 0
        strides = (0..<shape.rank).map { shape.product($0 + 1..<shape.rank) }
    }

    /// The view that starts at `position` along an axis.
    func from(_ position: Int, along axis: Int) -> StridedView {
        var result = self
        result.offset = offset &+ position &* strides[axis]
        return result
    }

    /// A tensor as if broadcast to `rank` dimensions or more: stride 0 where `shape` is 1 or has no dimension.
    static func broadcasting(_ shape: Shape, to target: Shape) -> StridedView {
        var view = StridedView(of: shape)
        for axis in 0..<shape.rank where shape[axis] == 1 { view.strides[axis] = 0 }
        view.strides = [Int](repeating: 0, count: target.rank - shape.rank) + view.strides
        return view
    }
}

/// A launch that copies `size` elements between two views of operands of type `dtype`.
func stridedCopy(
    _ site: KernelSite, _ size: Shape, dtype: DType, from source: StridedView, _ input: KernelOperand,
    to destination: StridedView, _ output: KernelOperand
) throws(ApusError) -> Launch {
    var params = ck_copy_params()
    if size.count == 0 {
        params.rank = 1
    } else {
        params.rank = Int32(size.rank)
        params.source_offset = Int64(source.offset)
        params.destination_offset = Int64(destination.offset)
        setElements(&params.size, size.dimensions)
        setElements(&params.source_stride, source.strides)
        setElements(&params.destination_stride, destination.strides)
        ck_copy_simplify(&params)
    }
    return try copy(site, params, dtype: dtype, input, output)
}

/// The launch of a copy of operands of type `dtype`.
func copy(
    _ site: KernelSite, _ params: ck_copy_params, dtype: DType, _ input: KernelOperand, _ output: KernelOperand
) throws(ApusError) -> Launch {
    var params = params
    return try Launch(ck_copy(dtype.ck, site.isa), params, units: ck_copy_units(&params), [input, output])
}

/// A launch that sets every element of an operand of `type` to the element with these bits.
func fill(
    _ site: KernelSite, _ type: TensorType, bits: UInt64, _ output: KernelOperand
) throws(ApusError) -> Launch {
    var params = ck_fill_params()
    params.count = Int64(type.shape.count)
    setBytes(&params.value, bits)
    return try Launch(ck_fill(type.dtype.ck, site.isa), params, units: ck_fill_units(&params), [output])
}

/// The kernel of a view that had to be copied after all: the first bytes of input 0 to output 0.
func viewCopy(_ site: KernelSite) throws(ApusError) -> KernelPlan {
    let bytes: Shape = [0]
    let size = bytes.replacing(0, with: site.outputs[0].byteSize)
    let view = StridedView(of: size)
    return KernelPlan([try stridedCopy(site, size, dtype: .u8, from: view, .input(0), to: view, .output(0))])
}

// MARK: C arrays, which Swift imports as tuples

func setElements<Tuple>(_ array: inout Tuple, _ values: [Int]) {
    withUnsafeMutableBytes(of: &array) { bytes in
        for (i, value) in values.enumerated() {
            bytes.storeBytes(of: Int64(value), toByteOffset: 8 * i, as: Int64.self)
        }
    }
}

/// The low bytes of `bits`, first in memory first.
func setBytes<Tuple>(_ array: inout Tuple, _ bits: UInt64) {
    withUnsafeMutableBytes(of: &array) { $0.storeBytes(of: bits.littleEndian, as: UInt64.self) }
}

extension DType {
    /// The bits of `value` as an element; nil when an integer type has no such number. f16 knows only 0.
    func bits(of value: Double) -> UInt64? {
        switch self {
        case .f32: UInt64(Float(value).bitPattern)
        case .f64: value.bitPattern
        case .bf16: UInt64(Float(value).bitPattern >> 16)
        case .f16: value == 0 ? 0 : nil
        case .i8: Int8(exactly: value).map { UInt64(UInt8(bitPattern: $0)) }
        case .u8: UInt8(exactly: value).map { UInt64($0) }
        case .i16: Int16(exactly: value).map { UInt64(UInt16(bitPattern: $0)) }
        case .u16: UInt16(exactly: value).map { UInt64($0) }
        case .i32: Int32(exactly: value).map { UInt64(UInt32(bitPattern: $0)) }
        case .i64: Int64(exactly: value).map { UInt64(bitPattern: $0) }
        case .bool: value == 0 ? 0 : value == 1 ? 1 : nil
        case .i4, .u4: nil
        }
    }
}

extension TensorType {
    /// Elements that can be moved: plain, of whole bytes; numbers, or where `codes`, codes with one scale for the tensor.
    func requireMovable(_ what: String, minimumRank: Int = 0, codes: Bool = true) throws(ApusError) {
        if codes && quantization?.granularity == .perTensor {
            try TensorType(dtype, shape, layout: layout).require(what, minimumRank: minimumRank)
        } else {
            try require(what, minimumRank: minimumRank)
        }
        guard dtype.bitWidth >= 8 else {
            throw .shape("\(what) of type \(dtype.name), wanted elements of whole bytes")
        }
    }

    /// Elements that can stand beside those of another tensor.
    func requireLike(_ other: TensorType, _ what: String) throws(ApusError) {
        guard dtype == other.dtype else { throw .shape("\(what) \(self) beside \(other), wanted one type") }
        guard quantization == other.quantization else {
            throw .shape("\(what) \(self) of another quantization than \(other), wanted the same")
        }
    }
}
