import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus

/// Writes build/oracle/layers/NAME.npz: a network of one or a few layers, its inputs, and what training computes of them: what
/// Tests/PythonTests/test_transformers.py computes again with PyTorch and Keras.
///
/// Arrays: `input/NAME`, `parameter/NAME`, `dy`; `y`; of Σ dy·y `gradient/NAME` of each parameter and `input_gradient/NAME`
/// of each input of floats.
final class TransformerOracleFiles: XCTestCase {
    func testTransformerOracleFilesAreWritten() throws {
        let folder = CaseFiles.root.appendingPathComponent("build/oracle/layers")
        try? FileManager.default.removeItem(at: folder)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let attentions: [(String, MultiHeadAttention, (SymbolicTensor) -> [SymbolicTensor])] = [
            ("self", MultiHeadAttention(heads: 4, name: "attention"), { [$0] }),
            ("causal", MultiHeadAttention(heads: 4, causal: true, name: "attention"), { [$0] }),
            ("masked", MultiHeadAttention(heads: 4, name: "attention"), { [$0, self.mask] }),
            ("masked-causal", MultiHeadAttention(heads: 2, causal: true, name: "attention"), { [$0, self.mask] }),
            ("cross", MultiHeadAttention(heads: 4, name: "attention"), { [$0, self.memory, self.lengths] }),
            ("grouped", MultiHeadAttention(heads: 4, keyValueHeads: 2, size: 8, causal: true, name: "attention"), { [$0] }),
            (
                "rotary",
                MultiHeadAttention(heads: 2, causal: true, rotary: RotaryPositions(length: 32), name: "attention"), { [$0] }
            ),
        ]
        for (name, layer, inputs) in attentions {
            let x = Input([9, 24], name: "x"), given = inputs(x)
            try write("attention-" + name, given, layer.apply(given), to: folder)
        }
        let x = Input([9, 24], name: "x")
        var options = TransformerOptions(width: 24, heads: 4, inner: 40)
        try write("encoder", [x, mask], EncoderBlock(options, name: "block").apply([x, mask]), to: folder)
        try write("decoder", [x, memory], DecoderBlock(options, name: "block").apply([x, memory]), to: folder)
        options.placement = .after
        options.feedForward = .plain(.relu)
        try write("encoder-post", [x], EncoderBlock(options, name: "block").apply([x]), to: folder)
        options.placement = .before
        options.feedForward = .gated(.silu)
        options.normalization = .rmsNorm
        options.usesBias = false
        try write("llama", [x], DecoderBlock(options, name: "block").apply([x]), to: folder)
        let gpt = try ModelLibrary.gpt(vocabulary: 11, context: 9, width: 24, heads: 4, layers: 2, seed: 3)
        try write(gpt, "gpt", to: folder)
    }

    private let memory = Input([6, 24], name: "memory")
    private let mask = Input([9], dtype: .i32, name: "mask")
    private let lengths = Input([], dtype: .i32, name: "lengths")

    private func write(
        _ name: String, _ inputs: [SymbolicTensor], _ outputs: [SymbolicTensor], to folder: URL
    ) throws {
        try write(try Network(inputs: inputs, outputs: outputs, name: name, seed: 5), name, to: folder)
    }

    private func write(_ network: Network, _ name: String, to folder: URL) throws {
        let arrays = try arrays(of: network)
        XCTAssertTrue(arrays.contains { $0.name.hasPrefix("gradient/") })
        try NPZ.write(arrays, to: folder.appendingPathComponent(name + ".npz").path)
    }

    private let samples = 3

    private func arrays(of network: Network) throws -> [NamedTensor] {
        var random = Philox(seed: 17)
        func uniform(_ shape: [Int], _ range: ClosedRange<Float> = -1...1) throws -> Tensor {
            let width = range.upperBound - range.lowerBound
            return try Tensor((0..<shape.reduce(1, *)).map { _ in range.lowerBound + width * random.uniform() }, shape: shape)
        }
        // Biases and norms that differ from 0 and 1, so that an exchange of two of them is seen.
        for parameter in network.parameters.all where parameter.value.shape.count == 1 {
            try network.parameters.set(parameter.name, try uniform(parameter.value.shape, 0.5...1.5))
        }
        let graph = Graph(network.name)
        for parameter in network.parameters.all {
            graph.states.append(
                State(parameter.name, parameter.value.type, .weight, initial: parameter.value.constant(parameter.name)))
        }
        let shape = try network.inferenceGraph(maximumBatch: samples).functions[0].outputs[0].type
        let (emitted, extra) = try network.emit(
            .training, graph, function: "step", maximumBatch: samples, extraInputs: [("dy", shape)],
            parameter: { Value(operand: .state($0), type: graph.states[$0].type) })
        let builder = emitted.builder, y = emitted.outputs[0]
        let sum = try builder(Reduction(.sum, axes: []), try builder(.mul, y, extra[0]))
        let floats = emitted.inputs.indices.filter { emitted.inputs[$0].type.dtype == .f32 }
        let states = network.parameters.all.indices.map { builder.state($0) }
        let gradients = try Backward.gradients(of: sum, for: states + floats.map { emitted.inputs[$0] }, in: builder)
        builder.output("y", y)
        let names = network.parameters.all.map { "gradient/\($0.name)" } + floats.map { "input_gradient/\(network.inputNames[$0])" }
        for (name, gradient) in zip(names, gradients) { builder.output(name, try XCTUnwrap(gradient, name)) }
        builder.finish()
        for pass in trainingPasses { _ = try pass.run(graph, ExportOptions()) }

        let session = try Session(try ApusRuntime.Model(graph))
        defer { session.destroy() }
        var arrays: [NamedTensor] = []
        for (i, input) in graph.functions[0].inputs.enumerated() {
            let type = try input.type.resolved([samples]), extents = type.shape.dimensions
            let value: Tensor
            switch input.name {
            case "mask": value = try Tensor((0..<samples * 9).map { Int32($0 % 9 < 9 - $0 / 9 * 2 ? 1 : 0) }, shape: extents)
            case "lengths": value = try Tensor([Int32(6), 4, 1], shape: extents)
            case "tokens": value = try Tensor((0..<samples * 9).map { Int32($0 * 7 % 11) }, shape: extents)
            default: value = try uniform(extents)
            }
            try session.set(input: i, value)
            arrays.append(NamedTensor(input.name == "dy" ? "dy" : "input/\(input.name)", value))
        }
        try session.run()
        for parameter in network.parameters.all {
            arrays.append(NamedTensor("parameter/\(parameter.name)", parameter.value))
        }
        for (i, output) in graph.functions[0].outputs.enumerated() {
            arrays.append(NamedTensor(output.name, try session.tensor(output: i)))
        }
        return arrays
    }
}
