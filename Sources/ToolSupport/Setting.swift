import ApusGraph

/// A setting as text, such as "crop:4": a name and what follows the colon.
public struct Setting {
    public let name: String
    public let value: String

    public init(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        name = String(parts[0])
        value = parts.count > 1 ? String(parts[1]) : ""
    }

    /// The value as a number; `otherwise` where there is none.
    public func number(_ otherwise: Double) throws(ApusError) -> Double {
        if value.isEmpty { return otherwise }
        guard let number = Double(value), number.isFinite else {
            throw .argument("'\(name):\(value)', wanted a number after the colon")
        }
        return number
    }
}
