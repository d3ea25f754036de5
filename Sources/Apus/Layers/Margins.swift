/// What is added to, or taken from, the four sides of an image.
public struct Margins: Sendable, Equatable, ExpressibleByIntegerLiteral {
    public let top: Int
    public let left: Int
    public let bottom: Int
    public let right: Int

    public init(top: Int = 0, left: Int = 0, bottom: Int = 0, right: Int = 0) {
        self.top = top
        self.left = left
        self.bottom = bottom
        self.right = right
    }

    public init(_ all: Int) { self.init(top: all, left: all, bottom: all, right: all) }
    public init(integerLiteral all: Int) { self.init(all) }

    var areValid: Bool { min(top, left, bottom, right) >= 0 }
}
