import Foundation
import XCTest

import struct ApusGraph.ApusError
@testable import Apus
@testable import ApusConvert

/// Checkpoints as networks of layers: what they compute is what the imported graph computes, and they are trained further.
final class NativeCheckpointTests: XCTestCase {
    private var fixtures: CheckpointFixtures { CheckpointFixtures(test: self) }

    /// Both on the same tokens of sequences of 9.
    private func compare(_ path: String, mask: [Int32], types: Bool) throws {
        let network = try Network.pretrained(path, length: 9)
        let tokens = (0..<18).map { Int32($0 * 5 % fixtures.vocabulary) }, kinds = (0..<18).map { Int32($0 % 9 / 5) }
        var own = [try Tensor(tokens, shape: [2, 9])], theirs = [try Tensor(tokens.map { Int64($0) }, shape: [2, 9])]
        theirs.append(try Tensor(mask.map { Int64($0) }, shape: [2, 9]))
        if network.inputs.count > 1 { own.append(try Tensor(mask, shape: [2, 9])) }
        if types {
            own.append(try Tensor(kinds, shape: [2, 9]))
            theirs.append(try Tensor(kinds.map { Int64($0) }, shape: [2, 9]))
        }
        let graph = try CheckpointImporter.graph(of: path, ["batch": 2...2, "tokens": 9...9])
        let wanted = try Runner(graph).run(theirs), found = try network.predict(own)
        XCTAssertEqual(found.count, wanted.count)
        for (f, w) in zip(found, wanted) { assertClose(try f.doubles(), try w.doubles(), 1e-5) }
    }

    func testBERT() throws {
        try compare(try fixtures.bert(), mask: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0], types: true)
    }

    func testGPT2() throws {
        let present = [Int32](repeating: 1, count: 18)
        try compare(try fixtures.gpt2(tied: true), mask: present, types: false)
        try compare(try fixtures.gpt2(tied: false, scalesByLayer: true), mask: present, types: false)
    }

    /// A classifier around the pooled output of a pretrained encoder.
    func testFineTuning() throws {
        let base = try Network.pretrained(try fixtures.bert(), length: 6)
        let network = try Network(inputs: base.inputs, outputs: [Dense(2, name: "classifier")(base.outputs[1])])
        XCTAssertEqual(try network.parameters.take(from: base.parameters), base.parameters.all.count)
        let pooler = try network.doubles("pooler/kernel")
        XCTAssertEqual(pooler, try base.doubles("pooler/kernel"))
        let ones = [Int32](repeating: 1, count: 24)
        let batch = Batch(
            position: 0, indices: [0, 1, 2, 3],
            inputs: try [("input_ids", (0..<24).map { Int32($0 % 19) }), ("attention_mask", ones), ("token_type_ids", ones)].map {
                NamedTensor($0.0, try Tensor($0.1, shape: [4, 6]))
            }, targets: [NamedTensor("output", try Tensor([Int32(0), 1, 1, 0]))])
        let trainer = try Trainer(
            network, loss: SparseCategoricalCrossEntropy(fromLogits: true), optimizer: AdamW(learningRate: 0.003),
            batchSize: 4)
        let first = try trainer.step(batch)
        for _ in 0..<30 { try trainer.step(batch) }
        XCTAssertLessThan(try trainer.step(batch), 0.2 * first)
        try trainer.updateNetwork()
        XCTAssertNotEqual(try network.doubles("pooler/kernel"), pooler)
    }

    /// A state dict by PyTorch's names and in its order of axes.
    func testStateDict() throws {
        let source = try ModelLibrary.resnet(18, input: [32, 32, 3], classes: 3, width: 4, seed: 1)
        let leaves = [
            "kernel": "weight", "gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var",
        ]
        var tensors: [(String, [Int], [Float])] = []
        for parameter in source.parameters.all {
            let parts = parameter.name.split(separator: "/").map { String($0) }, shape = parameter.value.shape
            let values = try parameter.value.array(of: Float.self), name = "\(parts[0]).\(leaves[parts[1]] ?? parts[1])"
            switch shape.count {
            case 4:
                let (h, w, i, o) = (shape[0], shape[1], shape[2], shape[3])
                let moved = (0..<values.count).map { at in
                    let place = (at / w % h * w + at % w) * i + at / (h * w) % i
                    return values[place * o + at / (h * w * i)]
                }
                tensors.append((name, [o, i, h, w], moved))
            case 2:
                let moved = (0..<values.count).map { values[$0 % shape[0] * shape[1] + $0 / shape[0]] }
                tensors.append((name, [shape[1], shape[0]], moved))
            default: tensors.append((name, shape, values))
            }
        }
        let folder = try fixtures.folder([:], tensors.map { ($0.0, $0.1) }, tensors.map { $0.2 })
        let network = try ModelLibrary.resnet(18, input: [32, 32, 3], classes: 3, width: 4, seed: 2)
        try network.loadStateDict(folder + "/model.safetensors")
        for (own, theirs) in zip(network.parameters.all, source.parameters.all) { XCTAssertEqual(own.value, theirs.value, own.name) }
        let other = try ModelLibrary.resnet(34, input: [32, 32, 3], classes: 3, width: 4)
        XCTAssertThrowsError(try other.loadStateDict(folder + "/model.safetensors")) {
            XCTAssertTrue(($0 as? ApusError)?.message.contains("no tensor 'layer1.2.conv1.weight'") == true, "\($0)")
        }
    }

    func testWhatIsRefused() throws {
        let path = try fixtures.gpt2(tied: true)
        for length in [0, 13] {
            XCTAssertThrowsError(try Network.pretrained(path, length: length)) {
                XCTAssertTrue(($0 as? ApusError)?.message.contains("tokens, wanted 1 ... 12") == true, "\($0)")
            }
        }
        let untied = try fixtures.gpt2(tied: false)
        let config = try String(contentsOfFile: untied + "/config.json", encoding: .utf8)
        try config.replacingOccurrences(of: "\"n_inner\":24", with: "\"n_inner\":25")
            .write(toFile: untied + "/config.json", atomically: true, encoding: .utf8)
        XCTAssertThrowsError(try Network.pretrained(untied, length: 4)) {
            XCTAssertTrue(($0 as? ApusError)?.message.contains("wanted [16, 25] by config.json") == true, "\($0)")
        }
    }
}
