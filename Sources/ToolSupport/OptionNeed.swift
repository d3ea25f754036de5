import ArgumentParser

/// What an option does nothing without.
public struct OptionNeed {
    private let text: String
    private let isMet: Bool

    /// - Parameter text: it in words, after "needs".
    public init(_ text: String, _ isMet: Bool) {
        self.text = text
        self.isMet = isMet
    }

    /// Throws for the first option that is given without what it needs.
    public static func check(_ options: [(name: String, isGiven: Bool, need: OptionNeed)]) throws {
        if let open = options.first(where: { $0.isGiven && !$0.need.isMet }) {
            throw ValidationError("'\(open.name)' needs \(open.need.text)")
        }
    }
}
