import Apus
import ApusGraph
import ApusRuntime
import Foundation

/// A model file in any known format → a graph, rewritten, with its golden pairs checked.
public struct ModelConversion {
    /// What the passes did, in order.
    public private(set) var passes: [PassReport] = []
    /// How far the new graph's answers to the old golden pairs are from the old ones.
    public private(set) var goldenDifferences: [Difference] = []
    public let source: Graph
    public let graph: Graph

    /// Opens `path` and rewrites it. Without `rewrites` the graph stays as it is but for the type of its weights.
    ///
    /// Golden pairs stay as the producer made them, and the new graph must reproduce them; when weights change their type
    /// their outputs are computed again.
    public init(_ path: String, _ options: ExportOptions, rewrites: Bool = true) throws(ApusError) {
        source = try ModelConversion.open(path)
        graph = try ModelConversion.open(path)
        var options = options
        if !rewrites {
            for pass in rewritePasses where pass.name != "convert-weights" { options.disabled.insert(pass.name) }
        }
        var passes: [PassReport] = []
        do throws(ApusError) {
            try Export.optimize(graph, options) { passes.append($0) }
            self.passes = passes
            try checkGoldens(changesWeights: options.weights != nil)
        } catch {
            throw error.within("\(path)")
        }
    }

    /// A graph from a file; the format is told from its name.
    public static func open(_ path: String) throws(ApusError) -> Graph { try ApusRuntime.Model(path: path).graph }

    /// The new file's bytes.
    public func bytes() throws(ApusError) -> [UInt8] { try ModelWriter.bytes(graph) }

    private mutating func checkGoldens(changesWeights: Bool) throws(ApusError) {
        guard !graph.goldens.isEmpty else { return try Goldens.add(to: graph) }
        for golden in graph.goldens {
            for (old, new) in zip(golden.outputs, try Goldens.replay(golden, of: graph)) {
                let (a, b) = (try Tensor(new), try Tensor(old))
                let difference = try Difference(a, b)
                goldenDifferences.append(difference)
                let agrees = try Difference.agree(
                    a, b, relative: Double(golden.relativeTolerance), absolute: Double(golden.absoluteTolerance))
                guard changesWeights || agrees else {
                    throw .file(
                        "output '\(old.name)' of golden pair: \(difference.found), wanted \(difference.wanted), after "
                            + "rewriting")
                }
            }
        }
        if changesWeights { try Goldens.refresh(graph) }
    }
}
