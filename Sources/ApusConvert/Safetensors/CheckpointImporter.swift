import Apus
import ApusGraph
import Foundation

/// A kind of network that checkpoints hold, configured.
protocol CheckpointModel {
    /// A tensor that every such checkpoint has, by its name without a prefix.
    var anchor: String { get }
    /// How many tokens a word list has, and how many a sequence may have.
    var vocabulary: Int { get }
    var positions: Int { get }
    /// How many layers, and what stands before a layer's number in the names of its tensors.
    var layers: Int { get }
    var layerName: String { get }
    /// Tensors that are the same as others of the model, by name, where a checkpoint has them.
    var repeated: [String: String] { get }
    /// Inputs after "input_ids" and "attention_mask".
    var moreInputs: [String] { get }
    /// Appends the network. All inputs are [batch, tokens]; outputs by name.
    func emit(_ c: CheckpointBuilder, _ inputs: [Term]) throws(ApusError) -> [(name: String, term: Term)]
    /// The same of layers, for sequences of a length, its weights not set.
    func network(_ tensors: Checkpoint, length: Int) throws(ApusError) -> Network
    /// Where the parameters of a layer of that network come from, by the layer's name.
    func source(_ layer: LayerName) -> CheckpointSource?
}

/// A folder of `transformers` or `sentence-transformers` → a graph with one function, "predict".
///
/// Inputs are i64 [batch, tokens]: input_ids, attention_mask (0 where a token is padding), and what the network has
/// besides. A sentence-transformers folder gives the further output "sentence_embedding" [batch, width].
enum CheckpointImporter {
    private static let families: [String: @Sendable (CheckpointFolder) throws(ApusError) -> any CheckpointModel] = [
        "bert": { folder throws(ApusError) in try BertModel(bert: folder) },
        "distilbert": { folder throws(ApusError) in try BertModel(distilbert: folder) },
        "gpt2": { folder throws(ApusError) in try Gpt2Model(folder) },
    ]

    /// `bounds` are those of "batch" and "tokens", where not the default ones. `warn` hears what the graph lacks of the folder.
    static func graph(
        of path: String, _ bounds: [String: ClosedRange<Int>], warn: (String) -> Void = { _ in }
    ) throws(ApusError) -> Graph {
        let root = CheckpointFolder(URL(fileURLWithPath: path))
        let pooling = try SentencePooling(root)
        let folder = try pooling.map { pooling throws(ApusError) in pooling.encoder } ?? root
        let (model, version) = try model(folder)
        let graph = Graph(root.url.lastPathComponent)
        graph.producer = version.map { "transformers \($0)" } ?? "transformers"
        graph.dimensions = try dimensions(bounds, positions: model.positions)
        graph.metadata = try CheckpointTokenizer.entries(root: root, encoder: folder, model, warn: warn)
        do throws(ApusError) {
            let checkpoint = try Checkpoint(folder, anchor: model.anchor)
            try emit(model, pooling, CheckpointBuilder(g: Emitter(graph, function: "predict"), tensors: checkpoint))
            try checkUnused(checkpoint, of: model, warn)
        } catch {
            throw error.message.hasPrefix(path) ? error : error.within("\(path)")
        }
        return graph
    }

    /// What config.json says the network is, and the version that wrote it.
    static func model(_ folder: CheckpointFolder) throws(ApusError) -> (any CheckpointModel, version: String?) {
        struct Kind: Decodable {
            let modelType: String
            let transformersVersion: String?
        }
        let kind = try folder.json(Kind.self, "config.json")
        guard let family = families[kind.modelType] else {
            let known = families.keys.sorted().joined(separator: ", ")
            throw .unsupported("\(folder.path("config.json")): model_type '\(kind.modelType)', wanted one of \(known)")
        }
        return (try family(folder), kind.transformersVersion)
    }

    /// Warns of tensors that the network does not compute with, such as those of a classifier; throws for further layers, and for a
    /// tensor that is not the one that it repeats.
    static func checkUnused(
        _ checkpoint: Checkpoint, of model: any CheckpointModel, _ warn: (String) -> Void
    ) throws(ApusError) {
        for (name, other) in model.repeated { try checkpoint.requireEqual(name, other) }
        let unused = try checkpoint.unused(layers: model.layers, of: model.layerName).filter { model.repeated[$0] == nil }
        guard !unused.isEmpty else { return }
        warn("not used: \(Quantity.list(unused))")
    }

    private static func dimensions(
        _ bounds: [String: ClosedRange<Int>], positions: Int
    ) throws(ApusError) -> [SymbolicDimension] {
        let dimensions = [
            SymbolicDimension("batch", bounds["batch"] ?? 1...32),
            SymbolicDimension("tokens", bounds["tokens"] ?? 1...min(positions, 256)),
        ]
        try dimensions.requireNames(bounds.keys)
        guard dimensions[1].maximum <= positions else {
            throw .argument("tokens up to \(dimensions[1].maximum), wanted at most \(positions), the model's positions")
        }
        return dimensions
    }

    private static func emit(
        _ model: any CheckpointModel, _ pooling: SentencePooling?, _ c: CheckpointBuilder
    ) throws(ApusError) {
        let type = TensorType(.i64, [-1, -2])
        var ids = InputContract()
        ids.rawRange = 0...Float(model.vocabulary - 1)
        var inputs = [try c.g.input("input_ids", type, contract: ids)]
        for name in ["attention_mask"] + model.moreInputs { inputs.append(try c.g.input(name, type)) }
        var outputs = try model.emit(c, inputs)
        if let pooling {
            outputs.insert(("sentence_embedding", try pooling.emit(c.g, outputs[0].term, mask: inputs[1])), at: 0)
        }
        for output in outputs { try c.g.output(output.name, output.term) }
        c.g.builder.finish()
    }
}
