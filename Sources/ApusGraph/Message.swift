/// The text of an error, built from a string literal with interpolations.
///
/// Each piece is one call, so that the many places that can fail stay small.
public struct Message: Sendable, ExpressibleByStringInterpolation {
    /// UTF-8. Bytes, for a `String` that grows brings code for all of its encodings.
    private let bytes: [UInt8]

    public var text: String {
        @inline(never) get { String(decoding: bytes, as: UTF8.self) }
    }

    @inline(never)
    public init(stringLiteral value: StaticString) {
        var interpolation = StringInterpolation(literalCapacity: 0, interpolationCount: 0)
        interpolation.appendLiteral(value)
        bytes = interpolation.bytes
    }

    @inline(never)
    public init(stringInterpolation: StringInterpolation) { bytes = stringInterpolation.bytes }

    @inline(never)
    public static func + (a: Message, b: Message) -> Message { "\(a)\(b)" }

    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var bytes: [UInt8] = []

        @inline(never)
        public init(literalCapacity: Int, interpolationCount: Int) {}

        @inline(never)
        private mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
            for byte in text { bytes.append(byte) }
        }

        @inline(never)
        public mutating func appendLiteral(_ literal: StaticString) {
            append(UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
        }

        @inline(never)
        public mutating func appendInterpolation(_ value: Message) { bytes += value.bytes }
        @inline(never)
        public mutating func appendInterpolation(_ value: String) { value.withBytes { append($0) } }
        public mutating func appendInterpolation(_ value: StaticString) { appendLiteral(value) }
        /// A C string.
        @inline(never)
        public mutating func appendInterpolation(_ value: UnsafePointer<CChar>) { appendInterpolation(String(cString: value)) }
        @inline(never)
        public mutating func appendInterpolation(_ value: Int) { appendInterpolation(String(value)) }
        public mutating func appendInterpolation(_ value: Int32) { appendInterpolation(Int(value)) }
        public mutating func appendInterpolation(_ value: UInt32) { appendInterpolation(Int(value)) }
        @inline(never)
        public mutating func appendInterpolation(_ value: UInt64) { appendInterpolation(String(value)) }
        public mutating func appendInterpolation(_ value: Int64) { appendInterpolation(Int(value)) }
        @inline(never)
        public mutating func appendInterpolation(_ value: Float) { appendInterpolation(value.description) }
        @inline(never)
        public mutating func appendInterpolation(_ value: Double) { appendInterpolation(value.description) }
        @inline(never)
        public mutating func appendInterpolation(_ value: Shape) {
            appendLiteral("[")
            for axis in 0..<value.rank {
                if axis > 0 { appendLiteral(", ") }
                appendInterpolation(value[axis])
            }
            appendLiteral("]")
        }
        @inline(never)
        public mutating func appendInterpolation(_ value: TensorType) {
            appendInterpolation(value.dtype.name)
            appendInterpolation(value.shape)
        }
    }
}

#if !hasFeature(Embedded)
extension Message.StringInterpolation {
    public mutating func appendInterpolation<T>(_ value: T) { appendInterpolation(String(describing: value)) }
}
#endif
