import ApusGraph
import struct Apus.Tensor

/// Throws where a table that the importer makes would have more than 2²⁴ elements: a file decides the extents.
func requireTable(_ extents: Int...) throws(ApusError) {
    let count = extents.reduce(1) { product, extent in
        let (next, overflow) = product.multipliedReportingOverflow(by: max(0, extent))
        return overflow ? Int.max : next
    }
    guard count <= 1 << 24 else { throw .unsupported("a table of \(extents), wanted at most 2²⁴ elements") }
}

/// The same for a table with an element for each of a tensor, and as long a row for each of an empty one.
func requireTable(_ shape: Shape) throws(ApusError) {
    let count = shape.dimensions.reduce(1) { $0 > 1 << 24 ? $0 : $0 * max(1, $1) }
    try requireTable(count)
}

extension TensorType {
    /// Throws where the extents other than 0 are so large that products of them do not fit `Int`: a tensor without elements
    /// takes no memory, however long its axes are.
    func checkExtents() throws(ApusError) {
        guard shape.dimensions.reduce(1, { $0 > 1 << 44 ? $0 : $0 * max(1, abs($1)) }) <= 1 << 44 else {
            throw .unsupported("a shape \(shape), wanted extents of at most 2⁴⁴ together")
        }
    }
}

extension Constant {
    /// A constant of any type from its elements as doubles, which hold integers up to 2⁵³.
    init(_ name: String, _ dtype: DType, _ shape: [Int], _ elements: [Double]) throws(ApusError) {
        let tensor = try Tensor(elements, shape: shape).converted(to: dtype)
        self.init(name, TensorType(dtype, Shape(shape)), tensor.withUnsafeBytes { HeapStorage($0) })
    }

    /// A vector of i64.
    init(_ name: String, _ integers: [Int]) {
        self.init(name, TensorType(.i64, [integers.count]), integers.withUnsafeBytes { HeapStorage($0) })
    }

    var tensor: Tensor {
        get throws(ApusError) { try Tensor(copying: bytes, dtype: type.dtype, shape: type.shape.dimensions) }
    }

    /// The elements of any type as doubles; packed halves of bytes too.
    func elements() throws(ApusError) -> [Double] {
        switch type.dtype {
        case .u4: nibbles().map { Double($0) }
        case .i4: nibbles().map { Double($0 < 8 ? Int($0) : Int($0) - 16) }
        default: try tensor.doubles()
        }
    }

    private func nibbles() -> [UInt8] {
        (0..<type.shape.count).map { bytes[$0 / 2] >> ($0 % 2 == 0 ? 0 : 4) & 15 }
    }

    /// The elements of an integer type, each to the bit.
    func integers() throws(ApusError) -> [Int] {
        if type.dtype == .i64 { return try tensor.array(of: Int.self) }
        guard !type.dtype.isFloat else { throw .shape("\(type), wanted integers") }
        return try elements().map { Int($0) }
    }
}
