import ApusGraph
import Foundation

/// How a sentence-transformers folder makes one vector of the tokens' vectors: what modules.json lists after the encoder.
struct SentencePooling {
    enum Mode: String, CaseIterable { case cls, mean, max }

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

    /// The config names a pooling_mode, or, before sentence-transformers 6, sets one of several flags, such as
    /// pooling_mode_mean_tokens.
    private static func mode(_ folder: CheckpointFolder) throws(ApusError) -> Mode {
        struct Value: Decodable {
            let isSet: Bool
            let texts: [String]
            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                isSet = (try? value.decode(Bool.self)) ?? false
                texts = (try? [value.decode(String.self)]) ?? (try? value.decode([String].self)) ?? []
            }
        }
        let config = try folder.json([String: Value].self, "config.json"), prefix = "pooling_mode_"
        let flags = config.filter { $0.key.hasPrefix(prefix) && $0.value.isSet }.keys.sorted()
        let endings = ["_tokens", "_token"]
        let names = config["pooling_mode"]?.texts ?? flags.map { flag in
            let name = flag.dropFirst(prefix.count), ending = endings.first { flag.hasSuffix($0) } ?? ""
            return String(name.dropLast(ending.count))
        }
        guard names.count == 1, let mode = Mode(rawValue: names[0]) else {
            let known = Mode.allCases.map { $0.rawValue }.joined(separator: ", ")
            let found = names.isEmpty ? "none" : names.joined(separator: " and ")
            throw .unsupported("\(folder.path("config.json")): pooling mode \(found), wanted one of \(known)")
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
