import ApusGraph
import ApusRuntime
import CKernels
import XCTest

@testable import Apus

/// What an exported file carries beside the network: golden pairs, a C array, a summary, a memory map.
final class PassesExportTests: XCTestCase {
    private func network() throws -> Network {
        try Sequential(input: [8, 8, 1], name: "small") {
            Conv2D(4, kernel: 3, activation: .relu)
            BatchNorm()
            MaxPool2D(2)
            Flatten()
            Dense(5)
        }
    }

    func testPredictIsWhatTheFilePredicts() throws {
        let folder = try ScratchFolder(), path = folder.file("small.apus")
        let network = try network()
        try network.export(to: path)
        let input = try Goldens.randomInputs(
            of: try network.inferenceGraph(), function: 0, dimensions: [8], seed: 1)
        let model = try ApusRuntime.Model(path: path)
        let session = try Session(model)
        defer { session.destroy() }
        try session.setDimension("batch", 8)
        try session.set(input: 0, input[0])
        try session.run()
        XCTAssertEqual(try session.tensor(output: 0), try network.predict(input[0]))
        XCTAssertEqual(model.graph.operations, ["Conv2D+ReLU", "BatchNorm", "MaxPool", "Flatten", "Dense"])
    }

    /// Nothing that can be fused is left, and the answers are those of the graph before.
    func testLibraryNetworksAreFused() throws {
        let networks: [(Network, Set<String>)] = [
            (try ModelLibrary.mnistCNN(input: [28, 28, 1]), ["Conv2D", "MaxPool", "Flatten", "Dense"]),
            (try ModelLibrary.cifarResNet(depth: 1, widths: [8, 16]), ["Conv2D", "GlobalAvgPool", "Dense"]),
            (try ModelLibrary.vggStyle(widths: [8, 16], units: 16), ["Conv2D", "MaxPool", "Flatten", "Dense"]),
        ]
        for (network, wanted) in networks {
            let plain = try network.inferenceGraph(maximumBatch: 2)
            let fused = try network.exportGraph(maximumBatch: 2)
            XCTAssertEqual(Set(fused.functions[0].nodes.map { $0.op.name }), wanted, network.name)
            for (old, new) in zip(try plain.answers(), try fused.answers()) {
                XCTAssertTrue(try Difference.agree(new[0], old[0], relative: 0, scaled: 1e-5), network.name)
            }
        }
    }

    func testGoldensAreReplayedOnEveryISA() throws {
        let folder = try ScratchFolder(), path = folder.file("small.apus")
        try network().export(to: path)
        let graph = try ApusRuntime.Model(path: path).graph
        XCTAssertEqual(graph.goldens.map { $0.dimensions }, [[1], [3]])
        for golden in graph.goldens {
            for isa in OperatorRun.instructionSets {
                for (new, old) in zip(try Goldens.replay(golden, of: graph, isa: isa), golden.outputs) {
                    XCTAssertTrue(
                        try Difference.agree(
                            try Tensor(new), try Tensor(old), relative: Double(golden.relativeTolerance),
                            absolute: Double(golden.absoluteTolerance)), InstructionSet.name(isa))
                }
            }
        }
    }

    /// Codes made of a sum may be off by one where its last bits decide; those made of what every kernel computes alike may not.
    func testCodesOfSumsAreAsExactAsCodes() throws {
        let to = CodeScale(scale: 0.5)
        func tolerance(isSum: Bool, quantizes: Bool = true, dequantizes: Bool = true) throws -> (Float, largest: Float) {
            let graph = Graph("codes"), b = GraphBuilder(graph, function: "predict")
            let x = try b.input("x", TensorType(.f32, [4, 9]))
            let y = try isSum ? b(Reduction(.sum, axes: [1], keepDimensions: true), x) : b(.add, x, x)
            let codes = try quantizes ? b(Quantize(to: to), y) : y
            b.output("y", try quantizes && dequantizes ? b(Dequantize(), codes) : codes)
            b.finish()
            try Goldens.add(to: graph)
            let golden = graph.goldens[0]
            guard golden.outputs[0].type.dtype == .f32 else { return (golden.absoluteTolerance, 0) }
            let largest = try Tensor(golden.outputs[0]).array(of: Float.self).reduce(0) { max($0, abs($1)) }
            return (golden.absoluteTolerance, largest)
        }
        let sum = try tolerance(isSum: true)
        XCTAssertEqual(sum.0, max(to.scale, 2e-2 * sum.largest))
        XCTAssertEqual(try tolerance(isSum: true, dequantizes: false).0, 1)
        XCTAssertEqual(try tolerance(isSum: false, dequantizes: false).0, 0)
        for exact in [try tolerance(isSum: false), try tolerance(isSum: true, quantizes: false)] {
            XCTAssertGreaterThan(exact.largest, 0)
            XCTAssertEqual(exact.0, 1e-4 * exact.largest)
        }
    }

    func testGoldenInputsFollowTheContract() throws {
        var contract = InputContract()
        contract.rawRange = 0...255
        contract.scale = 1 / 255
        contract.mean = [0.5, 0]
        contract.std = [0.5, 2]
        let graph = Graph("contract")
        let builder = GraphBuilder(graph, function: "predict")
        let x = try builder.input("x", TensorType(.f32, [64, 2]), contract: contract)
        builder.output("y", try builder(ActivationOperator(.relu), x))
        builder.finish()
        try Goldens.add(to: graph)
        XCTAssertEqual(graph.goldens.count, 1, "no symbolic dimension, so nothing larger")
        let values = try Tensor(graph.goldens[0].inputs[0]).array(of: Float.self)
        let first = stride(from: 0, to: 128, by: 2).map { values[$0] }
        let second = stride(from: 1, to: 128, by: 2).map { values[$0] }
        XCTAssertTrue(first.allSatisfy { -1...1 ~= $0 } && first.min()! < -0.8 && first.max()! > 0.8, "\(first)")
        XCTAssertTrue(second.allSatisfy { 0...0.5 ~= $0 } && second.min()! < 0.1 && second.max()! > 0.4, "\(second)")
    }

    func testGoldenSamples() throws {
        let folder = try ScratchFolder(), path = folder.file("small.apus")
        let sample = try Tensor((0..<128).map { Float($0) / 128 }, shape: [2, 8, 8, 1])
        let network = try network()
        try network.export(to: path, goldens: .samples([sample]))
        let golden = try XCTUnwrap(try ApusRuntime.Model(path: path).graph.goldens.first)
        XCTAssertEqual(try Tensor(golden.inputs[0]), sample)
        XCTAssertTrue(
            try Difference.agree(
                try network.predict(sample), try Tensor(golden.outputs[0]), relative: 1e-4, absolute: 1e-5))
        XCTAssertThrowsError(try network.export(to: path, goldens: .samples([try sample.reshaped([2, 64])])))
    }

    func testTheSameNetworkGivesTheSameFile() throws {
        let folder = try ScratchFolder()
        try network().export(to: folder.file("a.apus"))
        try network().export(to: folder.file("b.apus"))
        XCTAssertTrue(
            FileManager.default.contentsEqual(atPath: folder.file("a.apus"), andPath: folder.file("b.apus")))
    }

    func testWeightsHash() throws {
        let folder = try ScratchFolder(), path = folder.file("small.apus")
        try network().export(to: path)
        XCTAssertTrue(try WeightsHash(path).matches)
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        bytes[bytes.count - 1] ^= 1
        let broken = try WeightsHash(try folder.write(bytes, "broken.apus"))
        XCTAssertFalse(broken.matches)
        XCTAssertEqual(broken.stored, try WeightsHash(path).stored)
    }

    func testCHeaderNames() throws {
        let text = String(
            decoding: try CHeader.text([0, 9, 10, 99, 100, 255], name: "digits_2", comment: "a */ b"), as: UTF8.self)
        XCTAssertTrue(text.hasPrefix("/* a * / b */\n#ifndef DIGITS_2_H\n"), text)
        XCTAssertTrue(text.contains("static const unsigned char digits_2[6] = {\n0, 9, 10, 99, 100, 255,\n};"), text)
        XCTAssertTrue(text.contains("static const size_t digits_2_size = 6;"), text)
        for name in ["", "2digits", "a-b", "größe"] {
            XCTAssertThrowsError(try CHeader.text([], name: name, comment: ""))
        }
    }

    func testSummary() throws {
        let summary = try network().summary()
        XCTAssertEqual(summary.rows.map { $0.kind }, ["Conv2D", "BatchNorm", "MaxPool2D", "Flatten", "Dense"])
        XCTAssertEqual(summary.rows.map { $0.output }, [[6, 6, 4], [6, 6, 4], [3, 3, 4], [36], [5]])
        XCTAssertEqual(summary.rows.map { $0.parameters }, [40, 16, 0, 0, 185])
        XCTAssertEqual(summary.rows.map { $0.macs }, [1296, 0, 0, 0, 180])
        XCTAssertEqual([summary.parameters, summary.trainableParameters, summary.macs], [241, 233, 1476])
        let folder = try ScratchFolder(), path = folder.file("small.apus")
        try network().export(to: path, maximumBatch: 1)
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        XCTAssertEqual(size, summary.fileBytes)
        XCTAssertTrue("\(summary)".contains("parameters 241, trainable 233"), "\(summary)")
    }

    /// Buffers that are alive at the same time do not overlap, all lie below the peak, and the picture shows each.
    func testMemoryMap() throws {
        let graph = try network().exportGraph(maximumBatch: 2)
        graph.functions[0].nodes[1].name = "two\nlines\u{1B}[2J"
        let map = try MemoryMap(try ApusRuntime.Model(graph))
        for (i, a) in map.buffers.enumerated() {
            XCTAssertLessThanOrEqual(a.offset + a.size, map.peak)
            for b in map.buffers[(i + 1)...] where a.first <= b.last && b.first <= a.last {
                XCTAssertTrue(a.offset + a.size <= b.offset || b.offset + b.size <= a.offset, "\(a) \(b)")
            }
        }
        let lines = map.text(columns: 32).split(separator: "\n", omittingEmptySubsequences: false)
        XCTAssertEqual(lines[0], "arena of \(map.peak) bytes, a column is \((map.peak + 31) / 32)")
        XCTAssertEqual(lines.count, 1 + map.nodes.count + 1 + map.buffers.count + 1)
        XCTAssertTrue(lines[1].contains("conv2d") && lines[1].contains("a") && lines[1].hasSuffix("|"), "\(lines[1])")
        XCTAssertTrue(lines[2].hasPrefix("two?lines?[2J"), "\(lines[2])")
    }
}
