import ApusGraph
import ApusRuntime
import COnnxFormat
import Foundation

extension OnnxTensor {
    /// A tensor from its message, wherever its elements are: in `raw` or in the message's raw data, in its typed fields
    /// or in an external file. Throws unless there are as many as the shape says.
    init(_ m: Onnx__Tensor, raw: RawData?, _ external: ExternalData) throws(ApusError) {
        name = text(m.name)
        elementType = OnnxElementType(Int(m.data_type))
        guard m.n_dims <= 64 else { throw .file("rank \(m.n_dims)") }
        dimensions = (0..<m.n_dims).map { Int(m.dims[$0]) }
        guard let dtype = elementType.dtype, dimensions.count <= Shape.maximumRank else { return }
        let type = TensorType(dtype, Shape(dimensions))
        try type.check()
        try type.checkExtents()
        if m.data_location == ONNX__TENSOR__LOCATION__EXTERNAL {
            constant = try OnnxTensor.external(name, type, m, external)
        } else if let raw {
            constant = try Constant(name, type, raw)
        } else if m.raw_data.len > 0 {
            let bytes = UnsafeRawBufferPointer(start: m.raw_data.data, count: m.raw_data.len)
            constant = try Constant(name, type, RawData(bytes: bytes, owner: nil))
        } else {
            constant = try Constant(name, type, try OnnxTensor.typedBytes(m, type))
        }
    }

    private static func external(
        _ name: String, _ type: TensorType, _ m: Onnx__Tensor, _ data: ExternalData
    ) throws(ApusError) -> Constant {
        var location: String?
        var offset = 0, length = type.byteSize
        for i in 0..<m.n_external_data {
            let entry = m.external_data[i]!.pointee
            let value = text(entry.value)
            switch text(entry.key) {
            case "location": location = value
            case "offset": offset = try number(value, "offset")
            case "length": length = try number(value, "length")
            default: break
            }
        }
        guard let location else { throw .file("external data without a location") }
        let (storage, start) = try data.bytes(location, offset: offset, length: length)
        return try Constant(
            name, type, RawData(bytes: UnsafeRawBufferPointer(rebasing: storage.bytes[start..<start + length]), owner: storage))
    }

    private static func number(_ text: String, _ what: String) throws(ApusError) -> Int {
        guard let value = Int(text), value >= 0 else { throw .file("external data of \(what) '\(text)'") }
        return value
    }

    /// The elements of the field that ONNX keeps this type in, as the bytes of its raw data would be.
    private static func typedBytes(_ m: Onnx__Tensor, _ type: TensorType) throws(ApusError) -> RawData {
        func stored(_ bytes: UnsafeRawBufferPointer) -> RawData {
            let storage = HeapStorage(bytes)
            return RawData(bytes: storage.bytes, owner: storage)
        }
        func narrowed<I: FixedWidthInteger>(_ integer: I.Type) -> RawData {
            let values = UnsafeBufferPointer(start: m.int32_data, count: m.n_int32_data)
            return values.map { I(truncatingIfNeeded: $0) }.withUnsafeBytes { stored($0) }
        }
        switch type.dtype {
        case .f32: return stored(UnsafeRawBufferPointer(UnsafeBufferPointer(start: m.float_data, count: m.n_float_data)))
        case .f64:
            return stored(UnsafeRawBufferPointer(UnsafeBufferPointer(start: m.double_data, count: m.n_double_data)))
        case .i64: return stored(UnsafeRawBufferPointer(UnsafeBufferPointer(start: m.int64_data, count: m.n_int64_data)))
        case .i32: return narrowed(Int32.self)
        case .i16, .u16, .f16, .bf16: return narrowed(UInt16.self)
        case .i8, .u8, .bool, .i4, .u4: return narrowed(UInt8.self)
        }
    }
}
