import ApusGraph

/// A Swift type that a tensor's elements can be read and written as.
public protocol TensorScalar: Sendable {
    static var dtype: DType { get }
    /// The value nearest to `double`: integers truncate toward zero and saturate, and NaN becomes 0.
    init(nearest double: Double)
    var asDouble: Double { get }
}

extension TensorScalar where Self: BinaryFloatingPoint {
    public init(nearest double: Double) { self.init(double) }
    public var asDouble: Double { Double(self) }
}

extension TensorScalar where Self: FixedWidthInteger {
    public init(nearest double: Double) {
        if double.isNaN {
            self = 0
        } else if let exact = Self(exactly: double.rounded(.towardZero)) {
            self = exact
        } else {
            self = double < 0 ? .min : .max
        }
    }
    public var asDouble: Double { Double(self) }
}

extension Float: TensorScalar { public static var dtype: DType { .f32 } }
extension Double: TensorScalar { public static var dtype: DType { .f64 } }
extension Float16: TensorScalar { public static var dtype: DType { .f16 } }
extension Int8: TensorScalar { public static var dtype: DType { .i8 } }
extension UInt8: TensorScalar { public static var dtype: DType { .u8 } }
extension Int16: TensorScalar { public static var dtype: DType { .i16 } }
extension UInt16: TensorScalar { public static var dtype: DType { .u16 } }
extension Int32: TensorScalar { public static var dtype: DType { .i32 } }
extension Int64: TensorScalar { public static var dtype: DType { .i64 } }
extension Int: TensorScalar { public static var dtype: DType { .i64 } }

/// The high half of a `Float`: the storage of `bf16`.
struct BFloat16: TensorScalar {
    static var dtype: DType { .bf16 }
    var bits: UInt16

    /// Rounds to nearest, ties to even.
    init(nearest double: Double) {
        let pattern = Float(double).bitPattern
        if Float(bitPattern: pattern).isNaN {
            bits = UInt16(pattern >> 16) | 0x40
        } else {
            bits = UInt16((pattern + 0x7FFF + (pattern >> 16 & 1)) >> 16)
        }
    }
    var asDouble: Double { Double(Float(bitPattern: UInt32(bits) << 16)) }
}

/// One byte, 0 or 1: the storage of `bool`.
struct BoolByte: TensorScalar {
    static var dtype: DType { .bool }
    var byte: UInt8

    init(nearest double: Double) { byte = double == 0 ? 0 : 1 }
    var asDouble: Double { byte == 0 ? 0 : 1 }
}

/// Work that is written once for every element type.
protocol ScalarVisitor {
    associatedtype Result
    func visit<Scalar: TensorScalar>(_ type: Scalar.Type) throws(ApusError) -> Result
}

extension DType {
    /// Calls `visitor` with the Swift type of the elements; `i4` and `u4` have none and are `.unsupported`.
    func dispatch<Visitor: ScalarVisitor>(_ visitor: Visitor) throws(ApusError) -> Visitor.Result {
        switch self {
        case .f32: try visitor.visit(Float.self)
        case .f64: try visitor.visit(Double.self)
        case .f16: try visitor.visit(Float16.self)
        case .bf16: try visitor.visit(BFloat16.self)
        case .i8: try visitor.visit(Int8.self)
        case .u8: try visitor.visit(UInt8.self)
        case .i16: try visitor.visit(Int16.self)
        case .u16: try visitor.visit(UInt16.self)
        case .i32: try visitor.visit(Int32.self)
        case .i64: try visitor.visit(Int64.self)
        case .bool: try visitor.visit(BoolByte.self)
        case .i4, .u4: throw .unsupported("elements of \(name) have no type of their own in Swift")
        }
    }
}
