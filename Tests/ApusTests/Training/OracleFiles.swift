import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus

/// Writes build/oracle/NETWORK.npz: the parameters of a network, a batch, and what training computes of it: what
/// Tests/PythonTests/test_torch.py and test_sequences.py compute again with PyTorch, and the latter with Keras.
///
/// Arrays: `x`, `labels`; `parameter/NAME`; `logits` and `loss` of the training phase; `gradient/NAME`;
/// `moving/NAME`, the new moving statistics; `prediction`, the exported network's logits.
///
/// Beside it NETWORK.apus, NETWORK-f16.apus and NETWORK-training.apus, a whole training step, with golden pairs: what
/// the second reader recomputes. So are mlp-int8.apus, whose pairs hold codes, and transformer-int8.apus, where codes are
/// turned and made of sums. streams/stream.apus is what test_streams.py carries from process to process.
final class OracleFiles: XCTestCase {
    func testOracleFilesAreWritten() throws {
        let folder = CaseFiles.root.appendingPathComponent("build/oracle")
        try? FileManager.default.removeItem(at: folder)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let networks = [
            try ModelLibrary.mlp(input: 20, hidden: [33, 17], outputs: 5, activation: .tanh, seed: 1),
            try ModelLibrary.mnistCNN(seed: 2), try ModelLibrary.cifarCNN(seed: 3),
            try ModelLibrary.cifarResNet(depth: 1, input: [16, 16, 3], seed: 4),
            try ModelLibrary.vggStyle(widths: [8, 16], units: 24, dropout: 0, input: [16, 16, 3], seed: 5),
        ]
        for network in try networks + SequenceNetworks.all() {
            let arrays = try OracleRun(network).arrays()
            XCTAssertTrue(arrays.contains { $0.name.hasPrefix("gradient/") })
            let path = folder.appendingPathComponent(network.name).path
            try NPZ.write(arrays, to: path + ".npz")
            try network.export(to: path + ".apus", maximumBatch: 3)
            try network.export(to: path + "-f16.apus", maximumBatch: 2, options: ExportOptions(weights: .f16))
            try ModelWriter.write(try trainingStep(network), to: path + "-training.apus")
        }
        let transformer = try Sequential(input: [6, 16], name: "transformer", seed: 12) {
            DecoderBlock(TransformerOptions(width: 16, heads: 2))
            Dense(5)
        }
        for (name, network) in [("mlp", networks[0]), ("transformer", transformer)] {
            try ModelWriter.write(try quantized(network), to: folder.appendingPathComponent("\(name)-int8.apus").path)
        }
        let streams = folder.appendingPathComponent("streams")
        try FileManager.default.createDirectory(at: streams, withIntermediateDirectories: true)
        try SequenceNetworks.stream().export(
            to: streams.appendingPathComponent("stream.apus").path, maximumBatch: 1, steps: StepOptions(chunks: [1, 4]))
    }

    private func quantized(_ network: Network) throws -> Graph {
        let real = try network.exportGraph(maximumBatch: 3)
        var quantizer = try Quantizer(real, QuantizationOptions(.int8))
        for seed in 0..<8 {
            try quantizer.observe(try Goldens.randomInputs(of: real, function: 0, dimensions: [1], seed: UInt64(seed)))
        }
        let graph = try quantizer.quantized()
        try Goldens.add(to: graph)
        return graph
    }

    /// One whole step, the new value of every state an output too.
    private func trainingStep(_ network: Network) throws -> Graph {
        let graph = try TrainingProgram(
            network, losses: [SparseCategoricalCrossEntropy(fromLogits: true)],
            optimizer: SGD(momentum: 0.9, clipping: .globalNorm(1)), .init(maximumBatch: 3)
        ).graph
        for update in graph.functions[0].updates {
            let state = graph.states[update.state]
            graph.functions[0].outputs.append(FunctionOutput("new/\(state.name)", .local(update.local), state.type))
        }
        try Goldens.add(to: graph)
        return graph
    }
}

/// One batch through the training phase of a network, with the gradients as outputs.
private struct OracleRun {
    let network: Network
    let x: Tensor
    let labels: Tensor
    private let samples = 6

    init(_ network: Network) throws {
        self.network = network
        var random = Philox(seed: 99)
        let input = try network.inferenceGraph(maximumBatch: samples).functions[0].inputs[0].type
        let shape = [samples] + input.shape.dimensions.dropFirst()
        x = input.dtype == .i32
            ? try SequenceNetworks.words(shape, &random)
            : try Tensor((0..<shape.reduce(1, *)).map { _ in 2 * random.uniform() - 1 }, shape: shape)
        labels = try Tensor((0..<samples).map { Int32($0 * 7 % 5) }, shape: [samples])
        // Biases and normalizations that differ from 0 and 1, so that an exchange of two of them is seen.
        for parameter in network.parameters.all where parameter.value.shape.count == 1 {
            let old = try parameter.value.array(of: Float.self)
            try network.parameters.set(
                parameter.name, try Tensor(old.map { $0 + random.uniform() / 4 }, shape: parameter.value.shape))
        }
    }

    func arrays() throws -> [NamedTensor] {
        let graph = Graph(network.name)
        for parameter in network.parameters.all {
            graph.states.append(
                State(
                    parameter.name, parameter.value.type, parameter.isWeight ? .weight : .statistic,
                    initial: parameter.value.constant(parameter.name)))
        }
        let (emitted, target) = try network.emit(
            .training, graph, function: "step", maximumBatch: samples,
            extraInputs: [("labels", TensorType(.i32, [-1]))], parameter: { index in
                Value(operand: .state(index), type: graph.states[index].type)
            })
        let builder = emitted.builder
        let loss = try SparseCategoricalCrossEntropy(fromLogits: true).value(emitted.outputs[0], target[0], builder)
        let trained = network.parameters.all.indices.filter { network.parameters.all[$0].isTrainable }
        let gradients = try Backward.gradients(of: loss, for: trained.map { builder.state($0) }, in: builder)
        builder.output("logits", emitted.outputs[0])
        builder.output("loss", loss)
        for (index, gradient) in zip(trained, gradients) {
            let name = network.parameters.all[index].name
            let value = try XCTUnwrap(gradient, "no gradient of \(name)")
            builder.output("gradient/\(name)", value, type: value.type)
        }
        for update in emitted.context.updates {
            builder.output("moving/\(network.parameters.all[update.parameter].name)", update.value)
        }
        builder.finish()
        let session = try Session(try ApusRuntime.Model(graph))
        defer { session.destroy() }
        try session.set(input: 0, x)
        try session.set(input: 1, labels)
        try session.run()
        var arrays = [NamedTensor("x", x), NamedTensor("labels", labels)]
        for parameter in network.parameters.all {
            arrays.append(NamedTensor("parameter/\(parameter.name)", parameter.value))
        }
        for (i, output) in graph.functions[0].outputs.enumerated() {
            arrays.append(NamedTensor(output.name, try session.tensor(output: i)))
        }
        return arrays + [NamedTensor("prediction", try network.predict(x))]
    }
}
