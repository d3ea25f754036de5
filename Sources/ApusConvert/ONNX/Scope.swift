/// The values that names stand for, in a graph or a function.
final class Scope {
    enum Entry {
        case value(ImportedValue)
        /// Of a type that Apus does not have.
        case untyped(String)
        /// Behind a node that was reported.
        case blocked
    }

    var values: [String: Entry] = [:]
    /// Of the function's caller.
    var attributes: [String: OnnxAttribute] = [:]
    /// Inputs of a function that its caller leaves out.
    var absent: Set<String> = []
    let operatorSets: [String: Int]
    private let parent: Scope?
    /// How many graphs and functions it stands in.
    let depth: Int

    init(operatorSets: [String: Int], parent: Scope? = nil, depth: Int = 0) {
        self.operatorSets = operatorSets
        self.parent = parent
        self.depth = parent.map { $0.depth + 1 } ?? depth
        attributes = parent?.attributes ?? [:]
    }

    func find(_ name: String) -> Entry? { values[name] ?? parent?.find(name) }
}
