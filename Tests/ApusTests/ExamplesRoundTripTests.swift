import ApusGraph
import ApusRuntime
import CKernels
import Foundation
import XCTest

@testable import Apus
@testable import example_binary_classifier
@testable import example_digits
@testable import example_forecasting
@testable import example_keywords
@testable import example_xor

/// What the trainer of each example predicts is what its exported file predicts through apus.h, bit for bit, on any
/// number of threads, in any batch, and however the arena is laid out; and so on integers, where every instruction set gives
/// the same bytes too.
final class ExamplesRoundTripTests: XCTestCase {
    func testXOR() throws { try check(XOR.network(seed: 1), BinaryCrossEntropy()) }

    func testBinaryClassifier() throws { try check(BinaryClassifier.network(seed: 1), BinaryCrossEntropy()) }

    func testDigits() throws { try check(Digits.network(seed: 1), crossEntropy) }

    func testMNISTCNN() throws { try check(ModelLibrary.mnistCNN(seed: 1), crossEntropy) }

    func testCIFARCNN() throws { try check(ModelLibrary.cifarCNN(seed: 1), crossEntropy) }

    func testCIFARResNet() throws { try check(ModelLibrary.cifarResNet(weightDecay: 5e-4, seed: 1), crossEntropy) }

    func testCIFARMobileNet() throws { try check(ModelLibrary.cifarMobileNet(weightDecay: 5e-4, seed: 1), crossEntropy) }

    func testVGG() throws { try check(ModelLibrary.vggStyle(seed: 1), crossEntropy) }

    func testSentiment() throws {
        for cell in [ModelLibrary.RecurrentCell.gru, .lstm] {
            try check(
                ModelLibrary.textClassifier(vocabulary: 100, length: 12, cell: cell, seed: 1),
                BinaryCrossEntropy(fromLogits: true))
        }
    }

    func testForecasting() throws { try check(Forecasting.network(seed: 1), MSE()) }

    func testKeywords() throws { try check(Keywords.network(seed: 1), crossEntropy) }

    private let crossEntropy = SparseCategoricalCrossEntropy(fromLogits: true)

    private func check(_ network: Network, _ loss: any Loss, line: UInt = #line) throws {
        let samples = 8
        let data = try randomSamples(network, samples, classes: loss is SparseCategoricalCrossEntropy ? 10 : nil)
        let before = network.parameters.all.map { $0.value }
        let trainer = try Trainer(network, loss: loss, optimizer: Adam(), batchSize: 3, threads: 2)
        try trainer.fit(data, epochs: 1)
        for (old, parameter) in zip(before, network.parameters.all) where parameter.isTrainable {
            XCTAssertNotEqual(old, parameter.value, "\(parameter.name) did not train", line: line)
        }

        let images = data.inputs[0].tensor
        let wanted = try expectOneAnswer(network, images, ExamplesRoundTripTests.file(network.name), line: line)
        let unshared = try withEveryLocalKept(network.exportGraph(maximumBatch: samples), samples)
        let kept = try Session(unshared), shared = try Session(Model(network.exportGraph(maximumBatch: samples)))
        defer {
            kept.destroy()
            shared.destroy()
        }
        for session in [kept, shared] {
            try session.set(input: 0, images)
            try session.run()
            XCTAssertEqual(try rows(session.tensor(output: 0)), wanted, "arena", line: line)
        }

        // What recurrent layers emit in training is another operator than what ships.
        guard !network.layers.contains(where: { $0 is Recurrent }) else { return }
        try network.quantizationAware(.int8)
        try Trainer(network, loss: loss, optimizer: Adam(), batchSize: 3, threads: 2).fit(data, epochs: 1)
        let folder = try ScratchFolder()
        let bytes = try expectOneAnswer(network, images, folder.file("int8.apus"), line: line)
        let graph = try network.exportGraph(maximumBatch: samples)
        XCTAssertTrue(graph.functions[0].nodes.contains { $0.op.name.hasPrefix("Quantized") }, line: line)
        let few = try images.rows(0..<2)
        for isa in InstructionSet.all where ck_isa_is_supported(isa) != 0 {
            for threads in [1, 2, 7] {
                var options = SessionOptions()
                (options.isa, options.threads) = (isa, threads)
                let session = try Session(Model(graph), options)
                defer { session.destroy() }
                try session.setDimension(Network.batch, 2)
                try session.set(input: 0, few)
                try session.run()
                XCTAssertEqual(
                    try rows(session.tensor(output: 0)), Array(bytes.prefix(2)), "\(InstructionSet.name(isa)), \(threads) threads", line: line)
            }
        }
    }

    /// What a network predicts, which batches, threads and the exported file must not change.
    private func expectOneAnswer(
        _ network: Network, _ images: Tensor, _ path: String, line: UInt
    ) throws -> [[UInt8]] {
        let wanted = try rows(network.predict(images, batchSize: 8, threads: 1))
        XCTAssertGreaterThan(Set(wanted).count, 1, "the same for every sample", line: line)
        for (batch, threads) in [(1, 2), (3, 1), (8, 7)] {
            let found = try rows(network.predict(images, batchSize: batch, threads: threads))
            XCTAssertEqual(found, wanted, "trainer, batch \(batch), \(threads) threads", line: line)
        }

        try network.export(to: path)
        let file = try CModel(path)
        for threads in [1, 2, 7] {
            for batch in [1, 3, 8] {
                let found = try file.predict(rows(images), batch: batch, threads: threads)
                XCTAssertEqual(found, wanted, "apus.h, batch \(batch), \(threads) threads", line: line)
            }
        }
        return wanted
    }

    /// build/example-models/NAME.apus: what scripts/test-onnx-export.sh exports.
    private static func file(_ name: String) throws -> String {
        let folder = CaseFiles.root.appendingPathComponent("build/example-models")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.appendingPathComponent(name + ".apus").path
    }

    /// Inputs of −1 ... 1, or indices of words, and targets of 0 and 1 or of classes.
    private func randomSamples(_ network: Network, _ count: Int, classes: Int?) throws -> Dataset {
        let input = try network.exportGraph(maximumBatch: count).functions[0].inputs[0].type.resolved([count])
        var random = Philox(seed: 5)
        let shape = input.shape.dimensions
        let x = input.dtype == .i32
            ? try Tensor((0..<input.shape.count).map { _ in Int32(random.next32() % 4) }, shape: shape)
            : try Tensor((0..<input.shape.count).map { _ in random.uniform() * 2 - 1 }, shape: shape)
        let output = try network.exportGraph(maximumBatch: count).functions[0].outputs[0].type.resolved([count]).shape.dimensions
        if classes != nil {
            let shape = Array(output.dropLast()), classes = UInt32(output.last!)
            let labels = (0..<shape.reduce(1, *)).map { _ in Int32(random.next32() % classes) }
            return try Dataset(inputs: x, targets: Tensor(labels, shape: shape))
        }
        return try Dataset(inputs: x, targets: Tensor((0..<output.reduce(1, *)).map { Float($0 % 2) }, shape: output))
    }

    /// The same graph for `samples` samples with every value an output, so that no two share memory.
    private func withEveryLocalKept(_ graph: Graph, _ samples: Int) throws -> Model {
        graph.dimensions = graph.dimensions.map { SymbolicDimension($0.name, samples...samples) }
        let types = try ValidGraph(validating: graph).types(ofFunction: 0, dimensions: graph.maxima)
        for (local, type) in types.enumerated() {
            graph.functions[0].outputs.append(FunctionOutput("local \(local)", .local(local), type))
        }
        let model = try Model(graph)
        let sum = types.reduce(0) { $0 + $1.byteSize }
        XCTAssertGreaterThanOrEqual(try MemoryMap(model).peak, sum, "values share memory")
        return model
    }

    private func rows(_ tensor: Tensor) -> [[UInt8]] {
        tensor.withUnsafeBytes { bytes in
            let size = bytes.count / tensor.rowCount
            return (0..<tensor.rowCount).map { Array(bytes[$0 * size..<($0 + 1) * size]) }
        }
    }
}
