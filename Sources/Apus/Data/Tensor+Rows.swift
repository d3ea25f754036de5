import ApusGraph

/// A row is a slice along the first dimension.
extension Tensor {
    /// The first dimension, or 1 for a scalar.
    public var rowCount: Int { shape.first ?? 1 }

    /// The rows of a range, in order.
    ///
    /// - Throws: `.invalidArgument` for a range outside the rows, `.badShape` for a scalar.
    public func rows(_ range: Range<Int>) throws(ApusError) -> Tensor {
        let size = try rowByteCount()
        guard range.lowerBound >= 0, range.upperBound <= rowCount else {
            throw .argument("rows \(range) are outside 0..<\(rowCount)")
        }
        return try withUnsafeBytes { bytes throws(ApusError) in
            let slice = UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound * size..<range.upperBound * size])
            return try Tensor(copying: slice, dtype: dtype, shape: [range.count] + shape.dropFirst())
        }
    }

    /// The rows of the given indices, in their order; an index may come more than once.
    ///
    /// - Throws: `.invalidArgument` for an index outside the rows, `.badShape` for a scalar.
    public func rows(_ indices: [Int]) throws(ApusError) -> Tensor {
        let size = try rowByteCount()
        if let stray = indices.first(where: { $0 < 0 || $0 >= rowCount }) {
            throw .argument("row \(stray) is outside 0..<\(rowCount)")
        }
        return try Tensor(dtype: dtype, shape: [indices.count] + shape.dropFirst()) { bytes throws(ApusError) in
            guard size > 0 else { return }
            withUnsafeBytes { source in
                for (place, index) in indices.enumerated() {
                    (bytes.baseAddress! + place * size)
                        .copyMemory(from: source.baseAddress! + index * size, byteCount: size)
                }
            }
        }
    }

    /// The rows of all the tensors, one after another. They agree in type and in every dimension but the first.
    public static func concatenated(_ tensors: [Tensor]) throws(ApusError) -> Tensor {
        guard let first = tensors.first else { throw .argument("there is no tensor to concatenate") }
        var rows = 0
        for tensor in tensors {
            _ = try tensor.rowByteCount()
            guard tensor.dtype == first.dtype, tensor.shape.dropFirst() == first.shape.dropFirst() else {
                throw .shape("\(tensor) cannot follow the rows of \(first)")
            }
            let sum = rows.addingReportingOverflow(tensor.rowCount)
            guard !sum.overflow else { throw .shape("the rows are too many to concatenate") }
            rows = sum.partialValue
        }
        return try Tensor(dtype: first.dtype, shape: [rows] + first.shape.dropFirst()) { bytes throws(ApusError) in
            var rest = bytes[...]
            for tensor in tensors {
                tensor.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: rest).copyMemory(from: $0) }
                rest = rest.dropFirst(tensor.byteCount)
            }
        }
    }

    /// The bytes of one row, which are whole.
    private func rowByteCount() throws(ApusError) -> Int {
        guard !shape.isEmpty else { throw .shape("a scalar has no rows") }
        let bits = try Self.size(of: dtype, shape: Array(shape.dropFirst())).count * dtype.bitWidth
        guard bits % 8 == 0 else { throw .unsupported("the rows of \(self) do not start at whole bytes") }
        return bits / 8
    }
}
