import Apus
import ApusGraph
import ApusRuntime
import Foundation

/// What a conversion is doing.
public enum ConversionStage: Sendable {
    case importing(nodes: Int)
    case rewriting(pass: String)
    /// Running the model for its golden pairs.
    case computingGoldens
    case writing
}

/// A graph from a model file of any format, rewritten, with its golden pairs checked.
public struct ModelConversion {
    /// What the passes did, in order.
    public private(set) var passes: [PassReport] = []
    /// How far the new graph's answers to the old golden pairs are from the old ones.
    public private(set) var goldenDifferences: [Difference] = []
    public let source: Graph
    public let graph: Graph

    /// Rewrites a copy of `source`. Without `rewrites` the graph stays as it is but for the type of its weights.
    ///
    /// Golden pairs stay as the producer made them, and the new graph must reproduce them; when weights change their type
    /// their outputs are computed again.
    public init(
        _ source: Graph, _ options: ExportOptions, rewrites: Bool = true,
        progress: (ConversionStage) -> Void = { _ in }
    ) throws(ApusError) {
        self.source = source
        graph = source.copy()
        var options = options
        if !rewrites {
            for pass in rewritePasses where pass.name != "convert-weights" { options.disabled.insert(pass.name) }
        }
        var passes: [PassReport] = []
        try Export.optimize(graph, options) {
            passes.append($0)
            progress(.rewriting(pass: $0.pass.name))
        }
        self.passes = passes
        progress(.computingGoldens)
        try checkGoldens(changesWeights: options.weights != nil)
    }

    /// Reads a folder that holds a language model as functions of a stream. `warn` hears what the graph lacks of the folder.
    public static func openStream(
        _ path: String, _ steps: StepOptions, warn: (String) -> Void = { _ in }
    ) throws(ApusError) -> Graph {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue {
            throw .argument("\(path): a stream of a file, wanted the folder of a language model's checkpoint")
        }
        return try CheckpointStream.open(path, steps, warn: warn)
    }

    /// A graph from a file, whose format is told from its first bytes or its name, or from the folder of a checkpoint; or
    /// what keeps an ONNX model from becoming one. `warn` hears what the graph lacks of a folder.
    public static func open(
        _ path: String, _ options: OnnxOptions = OnnxOptions(), progress: @escaping (ConversionStage) -> Void = { _ in },
        warn: (String) -> Void = { _ in }
    ) throws(ApusError) -> Result<Graph, OnnxBlocked> {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            guard options.fixed.isEmpty else { throw .argument("\(path): a checkpoint has no inputs to fix") }
            if let (name, other) = options.same.first {
                throw .argument("\(path): '\(name)' and '\(other)' of a checkpoint are two dimensions, and stay so")
            }
            return .success(try CheckpointImporter.graph(of: path, options.dimensions, warn: warn))
        }
        guard isOnnx(path) else { return .success(try ApusRuntime.Model(path: path).graph) }
        do throws(ApusError) {
            return try Importer.graph(of: try OnnxReader.read(path), options) { progress(.importing(nodes: $0)) }
        } catch {
            throw error.message.hasPrefix(path) ? error : error.within("\(path)")
        }
    }

    /// The nodes of a model that computes on codes which compute on real numbers all the same, each name once. Where only weights
    /// are codes, or an input becomes codes for one product, real numbers are what is meant, and there are none.
    public func realNodes() throws(ApusError) -> [String] {
        let valid = try ValidGraph(validating: graph)
        var names: [String] = [], seen: Set<String> = []
        for (index, function) in graph.functions.enumerated() {
            guard function.nodes.contains(where: { 130..<139 ~= $0.op.code.rawValue }) else { continue }
            let types = try valid.types(ofFunction: index, dimensions: graph.maxima)
            var local = function.inputs.count
            for node in function.nodes {
                if !node.op.isOnIntegers && !node.op.isView && !(node.op is Transpose) && types[local].dtype.isFloat {
                    if seen.insert(node.name).inserted { names.append(node.name) }
                }
                local += node.op.outputCount
            }
        }
        return names
    }

    /// The nodes that compute in f64, each name once: `libapus` lacks their kernels, and integers of more than 53 bits are rounded.
    /// What only moves numbers, or makes others of them, computes nothing.
    public func doubleNodes() throws(ApusError) -> [String] {
        let valid = try ValidGraph(validating: graph)
        var names: [String] = [], seen: Set<String> = []
        for (index, function) in graph.functions.enumerated() {
            let types = try valid.types(ofFunction: index, dimensions: graph.maxima)
            var local = function.inputs.count
            for node in function.nodes {
                var isDouble = types[local].dtype == .f64
                for operand in node.inputs where !isDouble {
                    isDouble = try valid.type(of: operand, locals: types, reader: node.name).dtype == .f64
                }
                if isDouble && !node.op.onlyMoves && seen.insert(node.name).inserted { names.append(node.name) }
                local += node.op.outputCount
            }
        }
        return names
    }

    /// The named constants of the source that hold NaN, which reaches whatever reads them. Constants without a name are the import's.
    public var constantsWithNaN: [String] { source.constants.filter { !$0.name.isEmpty && $0.hasNaN }.map { $0.name } }

    /// The new file's bytes.
    public func bytes() throws(ApusError) -> [UInt8] { try ModelWriter.bytes(graph) }

    /// Writes the new file and returns its size in bytes.
    public func write(
        to path: String, progress: (ConversionStage) -> Void = { _ in }
    ) throws(ApusError) -> Int {
        progress(.writing)
        return try ModelWriter.write(graph, to: path)
    }

    /// Whether a file of this name is written as ONNX.
    public static func isOnnx(_ path: String) -> Bool { path.lowercased().hasSuffix(".onnx") }

    /// Writes one function of the new graph as an ONNX model. Returns the bytes written, or what is in the way, and then
    /// there is no file.
    public func writeOnnx(to path: String, _ options: OnnxExportOptions) throws(ApusError) -> Result<Int, OnnxBlocked> {
        switch try Exporter.export(graph, options) {
        case .success(let exporter):
            .success(
                try OnnxWriter.write(
                    exporter.model, exporter.initializers, to: path, externalData: options.externalData))
        case .failure(let blocked): .failure(blocked)
        }
    }

    private mutating func checkGoldens(changesWeights: Bool) throws(ApusError) {
        guard !graph.goldens.isEmpty else { return try Goldens.add(to: graph) }
        for (index, golden) in graph.goldens.enumerated() {
            for (old, new) in zip(golden.outputs, try Goldens.replay(golden, of: graph)) {
                let (a, b) = (try Tensor(new), try Tensor(old))
                let difference = try Difference(a, b)
                goldenDifferences.append(difference)
                let agrees = try Difference.agree(
                    a, b, relative: Double(golden.relativeTolerance), absolute: Double(golden.absoluteTolerance))
                guard changesWeights || agrees else {
                    let isRewritten = passes.contains { $0.changes > 0 }
                    throw .file(
                        "output '\(old.name)' of golden pair \(index): \(difference.found), wanted \(difference.wanted)"
                            + (isRewritten ? ", after rewriting" : ", with this machine's kernels"))
                }
            }
        }
        if changesWeights { try Goldens.refresh(graph) }
    }
}

extension Graph {
    /// A graph of its own over the same constants' bytes.
    fileprivate func copy() -> Graph {
        let copy = Graph(name)
        copy.producer = producer
        copy.dimensions = dimensions
        copy.constants = constants
        copy.states = states
        copy.functions = functions
        copy.metadata = metadata
        copy.goldens = goldens
        return copy
    }
}

extension Operator {
    /// Whether every element of its output is one of its inputs, a sum of such at a place, or one in another type.
    fileprivate var onlyMoves: Bool {
        isView || self is Cast || self is ApusGraph.Concat || self is Expand || self is ExpandLike || self is Gather || self is GatherGradient
            || self is Pad || self is Slice || self is Split || self is Transpose || self is Trim || self is Where
    }
}

extension Constant {
    fileprivate var hasNaN: Bool {
        switch type.dtype {
        case .f32: bytes.bindMemory(to: Float.self).contains { $0.isNaN }
        case .f64: bytes.bindMemory(to: Double.self).contains { $0.isNaN }
        case .f16: bytes.bindMemory(to: UInt16.self).contains { $0 & 0x7fff > 0x7c00 }
        case .bf16: bytes.bindMemory(to: UInt16.self).contains { $0 & 0x7fff > 0x7f80 }
        default: false
        }
    }
}
