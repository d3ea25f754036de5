import ApusGraph
import Foundation

/// A dense, row-major tensor in host memory: a value with copy-on-write storage, 64-byte aligned.
///
/// A shape of no dimensions is a scalar; a dimension may be 0. Elements of `i4` and `u4` are packed two a byte over the
/// whole tensor, the first in the low bits.
///
///     let x = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
///     try x.rows([1, 0]).array(of: Float.self)        // [4, 5, 6, 1, 2, 3]
public struct Tensor: Sendable {
    public let dtype: DType
    public let shape: [Int]
    /// The number of elements, the product of the shape.
    public let count: Int
    private var storage: TensorStorage

    public var byteCount: Int { storage.byteCount }

    /// A tensor whose bytes `body` writes, every one of them.
    ///
    /// - Throws: `.badShape` for a negative dimension or a size beyond `Int`, `.outOfMemory`, and what `body` throws.
    public init(
        dtype: DType, shape: [Int],
        initializingWith body: (UnsafeMutableRawBufferPointer) throws(ApusError) -> Void
    ) throws(ApusError) {
        let size = try Self.size(of: dtype, shape: shape)
        self.dtype = dtype
        self.shape = shape
        count = size.count
        storage = try TensorStorage(byteCount: size.bytes)
        try storage.withBytes(body)
    }

    /// A tensor of zero bytes.
    public static func zeros(_ dtype: DType, shape: [Int]) throws(ApusError) -> Tensor {
        try Tensor(dtype: dtype, shape: shape) { bytes throws(ApusError) in
            bytes.initializeMemory(as: UInt8.self, repeating: 0)
        }
    }

    /// A tensor of a copy of `bytes`, as many as the type and shape need.
    public init(copying bytes: UnsafeRawBufferPointer, dtype: DType, shape: [Int]) throws(ApusError) {
        let needed = try Self.size(of: dtype, shape: shape).bytes
        guard bytes.count == needed else {
            throw .shape("found \(bytes.count) bytes for \(dtype.name) \(shape), wanted \(needed)")
        }
        try self.init(dtype: dtype, shape: shape) { destination throws(ApusError) in
            destination.copyMemory(from: bytes)
        }
    }

    private init(_ other: Tensor, shape: [Int]) {
        dtype = other.dtype
        self.shape = shape
        count = other.count
        storage = other.storage
    }

    /// The same elements in a shape of equally many.
    public func reshaped(_ shape: [Int]) throws(ApusError) -> Tensor {
        let wanted = try Self.size(of: dtype, shape: shape).count
        guard wanted == count else {
            throw .shape("a tensor \(self.shape) of \(count) elements cannot take shape \(shape) of \(wanted)")
        }
        return Tensor(self, shape: shape)
    }

    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try storage.withBytes { bytes throws(Failure) in try body(UnsafeRawBufferPointer(bytes)) }
    }

    /// Traps if shared storage cannot be copied for want of memory, as Swift's own arrays do.
    public mutating func withUnsafeMutableBytes<Result, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if !isKnownUniquelyReferenced(&storage) {
            guard let copy = try? storage.copy() else { fatalError("no memory to copy \(description)") }
            storage = copy
        }
        return try storage.withBytes(body)
    }

    /// The elements and bytes of a type and shape, in checked arithmetic.
    static func size(of dtype: DType, shape: [Int]) throws(ApusError) -> (count: Int, bytes: Int) {
        var count = 1
        for dimension in shape {
            guard dimension >= 0 else { throw .shape("shape \(shape) has the negative dimension \(dimension)") }
            let product = count.multipliedReportingOverflow(by: dimension)
            guard !product.overflow else { throw .shape("shape \(shape) is too large") }
            count = product.partialValue
        }
        let bits = count.multipliedReportingOverflow(by: dtype.bitWidth)
        guard !bits.overflow, bits.partialValue <= Int.max - 7 else { throw .shape("shape \(shape) is too large") }
        return (count, (bits.partialValue + 7) / 8)
    }
}

extension Tensor: Equatable {
    /// The same type, shape and bytes; so NaN equals the same NaN, and 0 differs from −0.
    public static func == (a: Tensor, b: Tensor) -> Bool {
        a.dtype == b.dtype && a.shape == b.shape
            && a.withUnsafeBytes { a in
                b.withUnsafeBytes { b in memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0 }
            }
    }
}

extension Tensor: CustomStringConvertible {
    public var description: String { "\(dtype.name) \(shape)" }
}
