import ApusGraph
import Foundation

/// How a sentence-transformers folder makes one vector of the tokens' vectors: what modules.json lists after the encoder.
struct SentencePooling {
    enum Mode: String, CaseIterable {
        case cls = "pooling_mode_cls_token"
        case mean = "pooling_mode_mean_tokens"
        case max = "pooling_mode_max_tokens"
    }

    /// The folder of the encoder.
    let encoder: CheckpointFolder
    let mode: Mode
    let normalizes: Bool

    /// nil where the folder has no modules.json.
    init?(_ root: CheckpointFolder) throws(ApusError) {
        guard root.has("modules.json") else { return nil }
        struct Module: Decodable { let path, type: String }
        var encoder: CheckpointFolder?, mode: Mode?, normalizes = false
        for module in try root.json([Module].self, "modules.json") {
            guard !module.path.hasPrefix("/"), !module.path.split(separator: "/").contains("..") else {
                throw .file("\(root.path("modules.json")): path '\(module.path)', wanted one inside the folder")
            }
            let folder = CheckpointFolder(root.url.appendingPathComponent(module.path))
            switch module.type.split(separator: ".").last {
            case "Transformer" where encoder == nil: encoder = folder
            case "Pooling" where encoder != nil && mode == nil: mode = try SentencePooling.mode(folder)
            case "Normalize" where mode != nil && !normalizes: normalizes = true
            default:
                throw .unsupported(
                    "\(root.path("modules.json")): module '\(module.type)', wanted Transformer, Pooling and at most Normalize")
            }
        }
        guard let encoder, let mode else {
            throw .unsupported("\(root.path("modules.json")): wanted the modules Transformer and Pooling")
        }
        (self.encoder, self.mode, self.normalizes) = (encoder, mode, normalizes)
    }

    private static func mode(_ folder: CheckpointFolder) throws(ApusError) -> Mode {
        struct Flag: Decodable {
            let isSet: Bool
            init(from decoder: any Decoder) throws { isSet = (try? decoder.singleValueContainer().decode(Bool.self)) ?? false }
        }
        let flags = try folder.json([String: Flag].self, "config.json")
        let set = flags.filter { $0.key.hasPrefix("pooling_mode_") && $0.value.isSet }.keys.sorted()
        guard set.count == 1, let mode = Mode(rawValue: set[0]) else {
            let known = Mode.allCases.map { $0.rawValue }.joined(separator: ", ")
            throw .unsupported("\(folder.path("config.json")): \(set.joined(separator: " and ")), wanted one of \(known)")
        }
        return mode
    }

    /// [batch, tokens, width] → [batch, width]; where the mask [batch, tokens] is 0 a token does not count.
    func emit(_ g: Emitter, _ hidden: Term, mask: Term) throws(ApusError) -> Term {
        g.builder.prefix = "sentence_embedding/"
        let present = try g.unsqueeze(try g.isNonzero(mask), [2])
        var y: Term
        switch mode {
        case .cls: y = try g.reshape(try g.slice(hidden, axis: 1, 0, 1), to: hidden.shapes.map { [$0[0], $0[2]] })
        case .max: y = try g.reduce(.max, try g.select(present, hidden, try g.scalar(-1e9, like: hidden)), [1], keep: false)
        case .mean:
            let weight = try g.cast(present, to: .f32)
            let sum = try g.reduce(.sum, try g.mul(hidden, weight), [1], keep: false)
            let count = try g.reduce(.sum, weight, [1], keep: false)
            y = try g.div(sum, try g.maximum(count, try g.scalar(1e-9, like: count)))
        }
        guard normalizes else { return y }
        let norm = try g.sqrt(try g.reduce(.sum, try g.square(y), [1], keep: true))
        return try g.div(y, try g.maximum(norm, try g.scalar(1e-12, like: norm)))
    }
}
