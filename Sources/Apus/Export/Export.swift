import ApusGraph

/// What is done to a graph when it is written: each pass replaces a part by one that computes the same, faster.
public enum Export {
    /// Runs every pass in order. The graph is changed in place and returned; `report` hears of each pass.
    @discardableResult
    public static func optimize(
        _ graph: Graph, _ options: ExportOptions = ExportOptions(), report: (PassReport) -> Void = { _ in }
    ) throws(ApusError) -> Graph {
        for name in options.disabled where !rewritePasses.contains(where: { $0.name == name }) {
            let names = rewritePasses.map { $0.name }.joined(separator: ", ")
            throw .argument("no pass '\(name)', wanted one of \(names)")
        }
        for pass in rewritePasses where !options.disabled.contains(pass.name) {
            do throws(ApusError) {
                let changes = try pass.run(graph, options)
                report(PassReport(pass: pass, changes: changes, graph))
            } catch {
                throw error.within("pass \(pass.name)")
            }
        }
        return graph
    }
}

/// What passes are told.
public struct ExportOptions: Sendable {
    /// Names of passes that do not run.
    public var disabled: Set<String>
    /// f16, bf16 or f32: what weights in panels are stored as; nil leaves them.
    public var weights: DType?
    /// Names of nodes whose weights keep their type.
    public var keepFloat: Set<String>
    /// No algorithm that rounds otherwise than the definition's one chain of multiply-adds.
    public var exact: Bool

    public init(
        disabled: Set<String> = [], weights: DType? = nil, keepFloat: Set<String> = [], exact: Bool = false
    ) {
        self.disabled = disabled
        self.weights = weights
        self.keepFloat = keepFloat
        self.exact = exact
    }
}

/// A rewriting of a graph.
public struct RewritePass: Sendable {
    public let name: String
    /// What it replaces by what, in one line.
    public let summary: String
    /// Rewrites a graph and returns how many replacements it made. The graph is valid before and after.
    public let run: @Sendable (Graph, ExportOptions) throws(ApusError) -> Int

    init(
        _ name: String, _ summary: String,
        run: @escaping @Sendable (Graph, ExportOptions) throws(ApusError) -> Int
    ) {
        self.name = name
        self.summary = summary
        self.run = run
    }
}

/// What a pass did, and what the graph is after it.
public struct PassReport: Sendable {
    public let pass: RewritePass
    public let changes: Int
    public let nodes: Int
    public let constants: Int
    public let constantBytes: Int

    init(pass: RewritePass, changes: Int, _ graph: Graph) {
        self.pass = pass
        self.changes = changes
        nodes = graph.functions.reduce(0) { $0 + $1.nodes.count }
        constants = graph.constants.count
        constantBytes = graph.constants.reduce(0) { $0 + $1.type.byteSize }
    }
}

/// In the order they run: first what shrinks the graph, then what fuses nodes, then how weights are stored.
public let rewritePasses: [RewritePass] = [
    pushTransposesPass,
    foldConstantsPass,
    removeIdentitiesPass,
    mergeDuplicatesPass,
    recognizeActivationsPass,
    fuseLayerNormPass,
    fuseRmsNormPass,
    fuseAttentionPass,
    fuseBiasPass,
    foldBatchNormPass,
    mergeReshapesPass,
    foldTransposePass,
    fuseResidualPass,
    fuseActivationPass,
    removeUnusedPass,
    chooseAlgorithmsPass,
    convertWeightsPass,
    packWeightsPass,
]
