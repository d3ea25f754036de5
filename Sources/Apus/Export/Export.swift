import ApusGraph

/// What is done to a graph when it is written: each pass replaces a part by one that computes the same, faster.
public enum Export {
    /// Every pass in order. The graph is changed in place and returned.
    public static func optimize(_ graph: Graph, disabled: Set<String> = []) throws(ApusError) -> Graph {
        for pass in rewritePasses where !disabled.contains(pass.name) { try pass.run(graph) }
        return graph
    }
}

/// A rewriting of a graph.
public struct RewritePass: Sendable {
    public let name: String
    /// What it replaces, in one line.
    public let summary: String
    public let run: @Sendable (Graph) throws(ApusError) -> Void

    public init(_ name: String, _ summary: String, run: @escaping @Sendable (Graph) throws(ApusError) -> Void) {
        self.name = name
        self.summary = summary
        self.run = run
    }
}

/// In the order they run.
public let rewritePasses: [RewritePass] = [
    packWeightsPass
]
