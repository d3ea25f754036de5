/// The type of a tensor's elements. The raw values are those of `apus.h`, `apus.proto` and `ck.h`.
public enum DType: UInt32, Sendable, CaseIterable {
    case f32 = 1, f64, f16, bf16
    case i8, u8, i16, u16, i32, i64
    /// One byte, 0 or 1.
    case bool
    /// Two elements a byte, the first in the low bits.
    case i4, u4

    public var bitWidth: Int {
        switch self {
        case .f64, .i64: 64
        case .f32, .i32: 32
        case .f16, .bf16, .i16, .u16: 16
        case .i8, .u8, .bool: 8
        case .i4, .u4: 4
        }
    }

    public var isFloat: Bool {
        switch self {
        case .f32, .f64, .f16, .bf16: true
        default: false
        }
    }

    public var isInteger: Bool { !isFloat && self != .bool }

    public var name: String {
        switch self {
        case .f32: "f32"
        case .f64: "f64"
        case .f16: "f16"
        case .bf16: "bf16"
        case .i8: "i8"
        case .u8: "u8"
        case .i16: "i16"
        case .u16: "u16"
        case .i32: "i32"
        case .i64: "i64"
        case .bool: "bool"
        case .i4: "i4"
        case .u4: "u4"
        }
    }
}
