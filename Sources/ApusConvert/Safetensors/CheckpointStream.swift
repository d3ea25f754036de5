import Apus
import ApusGraph
import Foundation

/// A folder of `transformers` that holds a language model → a graph of functions that read a stream of tokens.
enum CheckpointStream {
    static func open(_ path: String, _ steps: StepOptions, warn: (String) -> Void) throws(ApusError) -> Graph {
        let folder = CheckpointFolder(URL(fileURLWithPath: path))
        let (model, _) = try CheckpointImporter.model(folder)
        let network = try Network.pretrained(path, length: steps.context ?? model.positions, warn: warn)
        network.metadata = try CheckpointTokenizer.entries(root: folder, encoder: folder, model, warn: warn)
        return try network.inferenceGraph(maximumBatch: 1, steps: steps)
    }
}
