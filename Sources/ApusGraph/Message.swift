/// The text of an error, built from a string literal with interpolations.
///
/// Each piece is one call, so that the many places that can fail stay small.
public struct Message: Sendable, ExpressibleByStringInterpolation {
    public let text: String

    @inline(never)
    public init(stringLiteral value: StaticString) {
        var interpolation = StringInterpolation(literalCapacity: 0, interpolationCount: 0)
        interpolation.appendLiteral(value)
        text = interpolation.text
    }

    @inline(never)
    public init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    @inline(never)
    private init(_ text: String) { self.text = text }

    @inline(never)
    public static func + (a: Message, b: Message) -> Message { Message(a.text + b.text) }

    public struct StringInterpolation: StringInterpolationProtocol {
        var text = ""

        @inline(never)
        public init(literalCapacity: Int, interpolationCount: Int) {}

        @inline(never)
        public mutating func appendLiteral(_ literal: StaticString) {
            text += String(decoding: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount), as: UTF8.self)
        }

        @inline(never)
        public mutating func appendInterpolation(_ value: String) { text += value }
        @inline(never)
        public mutating func appendInterpolation(_ value: Int) { text += String(value) }
        public mutating func appendInterpolation(_ value: Int32) { appendInterpolation(Int(value)) }
        public mutating func appendInterpolation(_ value: UInt32) { appendInterpolation(Int(value)) }
        @inline(never)
        public mutating func appendInterpolation(_ value: UInt64) { text += String(value) }
        public mutating func appendInterpolation(_ value: Int64) { appendInterpolation(Int(value)) }
        @inline(never)
        public mutating func appendInterpolation(_ value: Float) { text += value.description }
        @inline(never)
        public mutating func appendInterpolation(_ value: Double) { text += value.description }
        @inline(never)
        public mutating func appendInterpolation(_ value: Shape) { text += value.description }
        @inline(never)
        public mutating func appendInterpolation(_ value: TensorType) { text += value.description }
    }
}

#if !hasFeature(Embedded)
extension Message.StringInterpolation {
    public mutating func appendInterpolation<T>(_ value: T) { appendInterpolation(String(describing: value)) }
}
#endif
