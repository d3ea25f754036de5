import Foundation
import XCTest

@testable import Apus

/// Folders of small checkpoints as `save_pretrained` writes them, for as long as a test runs.
struct CheckpointFixtures {
    let test: XCTestCase
    let vocabulary = 19, positions = 12, width = 16, inner = 24, layers = 2, heads = 4

    /// A folder of tensors, random unless given or a copy of one before, with a config.json.
    func folder(
        _ config: [String: Any], _ shapes: [(String, [Int])], _ given: [[Float]]? = nil, copies: [String: String] = [:]
    ) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("checkpoint-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        test.addTeardownBlock { try? FileManager.default.removeItem(at: folder) }
        try JSONSerialization.data(withJSONObject: config).write(to: folder.appendingPathComponent("config.json"))
        var random = Philox(seed: 8), header: [String: Any] = [:], data = Data(), written: [String: [Float]] = [:]
        for (i, (name, shape)) in shapes.enumerated() {
            let values = given?[i] ?? copies[name].flatMap { written[$0] } ?? (0..<shape.reduce(1, *)).map { _ in Float(random.normal()) / 4 }
            written[name] = values
            let place = [data.count, data.count + 4 * values.count]
            header[name] = ["dtype": "F32", "shape": shape, "data_offsets": place] as [String: Any]
            values.withUnsafeBytes { data.append(contentsOf: $0) }
        }
        var text = try JSONSerialization.data(withJSONObject: header)
        while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
        let length = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Data($0) }
        try (length + text + data).write(to: folder.appendingPathComponent("model.safetensors"))
        return folder.path
    }

    func bert(_ changes: [String: Any?] = [:], more: [(String, [Int])] = []) throws -> String {
        func linear(_ name: String, _ to: Int, _ from: Int) -> [(String, [Int])] {
            [("\(name).weight", [to, from]), ("\(name).bias", [to])]
        }
        func norm(_ name: String) -> [(String, [Int])] { [("\(name).weight", [width]), ("\(name).bias", [width])] }
        var shapes: [(String, [Int])] = [
            ("bert.embeddings.word_embeddings.weight", [vocabulary, width]),
            ("bert.embeddings.token_type_embeddings.weight", [2, width]),
            ("bert.embeddings.position_embeddings.weight", [positions, width]),
        ]
        shapes += norm("bert.embeddings.LayerNorm") + linear("bert.pooler.dense", width, width)
        for layer in 0..<layers {
            let name = "bert.encoder.layer.\(layer)"
            for part in ["self.query", "self.key", "self.value", "output.dense"] {
                shapes += linear("\(name).attention.\(part)", width, width)
            }
            shapes += norm("\(name).attention.output.LayerNorm") + norm("\(name).output.LayerNorm")
            shapes += linear("\(name).intermediate.dense", inner, width) + linear("\(name).output.dense", width, inner)
        }
        let config: [String: Any?] = [
            "model_type": "bert", "vocab_size": vocabulary, "hidden_size": width, "intermediate_size": inner,
            "num_hidden_layers": layers, "num_attention_heads": heads, "max_position_embeddings": positions,
            "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
        ]
        return try folder(config.merging(changes) { $1 }.compactMapValues { $0 }, shapes + more)
    }

    func gpt2(
        tied: Bool = true, scalesByLayer: Bool = false, _ changes: [String: Any?] = [:], more: [(String, [Int])] = [],
        copies: [String: String] = [:]
    ) throws -> String {
        func conv(_ name: String, _ from: Int, _ to: Int) -> [(String, [Int])] {
            [("\(name).weight", [from, to]), ("\(name).bias", [to])]
        }
        func norm(_ name: String) -> [(String, [Int])] { [("\(name).weight", [width]), ("\(name).bias", [width])] }
        var shapes: [(String, [Int])] = [("wte.weight", [vocabulary, width]), ("wpe.weight", [positions, width])] + norm("ln_f")
        if !tied { shapes.append(("lm_head.weight", [vocabulary, width])) }
        for layer in 0..<layers {
            let name = "h.\(layer)"
            shapes += norm("\(name).ln_1") + norm("\(name).ln_2")
            shapes += conv("\(name).attn.c_attn", width, 3 * width) + conv("\(name).attn.c_proj", width, width)
            shapes += conv("\(name).mlp.c_fc", width, inner) + conv("\(name).mlp.c_proj", inner, width)
        }
        let config: [String: Any?] = [
            "model_type": "gpt2", "vocab_size": vocabulary, "n_embd": width, "n_inner": inner, "n_layer": layers,
            "n_head": heads, "n_positions": positions, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5,
            "tie_word_embeddings": tied, "scale_attn_by_inverse_layer_idx": scalesByLayer,
        ]
        return try folder(config.merging(changes) { $1 }.compactMapValues { $0 }, shapes + more, copies: copies)
    }

    /// vocab.json of as many tokens as the networks have, the letters from a on.
    func pairs() throws -> String {
        let numbers = (0..<vocabulary).map { (String(UnicodeScalar(UInt8(97 + $0))), $0) }
        return String(decoding: try JSONEncoder().encode(Dictionary(uniqueKeysWithValues: numbers)), as: UTF8.self)
    }
}
