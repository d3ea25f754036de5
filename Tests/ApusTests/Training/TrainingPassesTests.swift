import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus

/// What the passes make of training steps: fewer nodes, and new values of every state that are those of the step as it was
/// derived.
final class TrainingPassesTests: XCTestCase {
    private let cnn: () throws -> Network = { try ModelLibrary.mnistCNN(input: [14, 14, 1], seed: 2) }
    private let resNet: () throws -> Network = {
        try ModelLibrary.cifarResNet(depth: 1, widths: [4, 6], input: [8, 8, 3], seed: 4)
    }

    private let depthwise: () throws -> Network = {
        try Sequential(input: [9, 8, 4], seed: 3) {
            DepthwiseConv2D(kernel: 3, multiplier: 2)
            MaxPool2D()
            Flatten()
            Dense(5)
        }
    }
    private let grouped: () throws -> Network = {
        try Sequential(input: [9, 8, 4], seed: 3) {
            Conv2D(6, kernel: 3, groups: 2, activation: .relu)
            MaxPool2D()
            Flatten()
            Dense(5)
        }
    }

    private func graph(_ network: Network, _ passes: [RewritePass]) throws -> Graph {
        try TrainingProgram(
            network, losses: [SparseCategoricalCrossEntropy(fromLogits: true)], optimizer: SGD(momentum: 0.9),
            .init(maximumBatch: 5, passes: passes)
        ).graph
    }

    private func count(_ graph: Graph, _ name: String) -> Int {
        graph.functions[0].nodes.count { $0.op.name == name }
    }

    func testProductsTakeUpReLUAndPoolsRouteItsGradient() throws {
        let plain = try graph(try cnn(), []), fused = try graph(try cnn(), trainingPasses)
        XCTAssertEqual([count(plain, "Relu"), count(fused, "Relu")], [3, 0])
        let nodes = fused.functions[0].nodes
        let makers = nodes.flatMap { node in (0..<node.op.outputCount).map { _ in node.op } }
        for node in nodes {
            for case .local(let local) in node.inputs where local >= fused.functions[0].inputs.count {
                let maker = makers[local - fused.functions[0].inputs.count]
                XCTAssertFalse(
                    maker is MaxPoolIndexGradient && (node.op is ActivationGradient || node.op is SumLike),
                    "\(node.name) reads all that a pool routes")
            }
        }
        XCTAssertEqual([count(plain, "MaxPoolIndexGradient"), count(fused, "MaxPoolIndexGradient")], [2, 1])
        XCTAssertEqual([count(plain, "Conv2D"), count(fused, "Conv2D")], [2, 1])
        XCTAssertEqual([count(fused, "Conv2DMaxPool"), count(fused, "Conv2DMaxPoolWeightGradient")], [1, 1])
    }

    func testBatchNormTakesUpTheSumAndReLU() throws {
        let plain = try graph(try resNet(), []), fused = try graph(try resNet(), trainingPasses)
        XCTAssertEqual([count(plain, "Relu"), count(fused, "Relu")], [5, 0])
        let norms = fused.functions[0].nodes.compactMap { $0.op as? BatchNormTraining }
        XCTAssertEqual(norms.count { $0.hasResidual }, 2, "one for each block, the one with a projection too")
        XCTAssertEqual(norms.count { $0.activation == .relu }, 5)
        let gradients = fused.functions[0].nodes.filter { $0.op is BatchNormGradient }
        XCTAssertEqual(gradients.count { $0.inputs.count == 6 }, 3)
        XCTAssertEqual(count(fused, "ActivationGradient"), 2, "what the sum of a block needs for both its terms")
    }

    func testAStepIsTheSame() throws {
        for network in [cnn, resNet, depthwise, grouped] {
            let plain = try states(afterStepOf: try graph(try network(), []))
            let fused = try states(afterStepOf: try graph(try network(), trainingPasses))
            XCTAssertEqual(plain.count, fused.count)
            for (a, b) in zip(plain, fused) {
                XCTAssertEqual(a.name, b.name)
                for (x, y) in zip(a.values, b.values) { XCTAssertEqual(x, y, accuracy: 2e-5, a.name) }
            }
        }
    }

    /// Less memory, the same bits.
    func testRecomputing() throws {
        func trained(recompute: Bool) throws -> (bytes: Int, states: [[UInt8]], nodes: Int) {
            let network = try ModelLibrary.cifarResNet(depth: 2, widths: [8, 8], input: [16, 16, 3], seed: 4)
            let trainer = try Trainer(
                network, loss: SparseCategoricalCrossEntropy(fromLogits: true), optimizer: Adam(), batchSize: 16,
                threads: 2, recompute: recompute)
            var random = Philox(seed: 8)
            let pixels = try Tensor((0..<16 * 768).map { _ in random.uniform() }, shape: [16, 16, 16, 3])
            let data = try Dataset(inputs: pixels, targets: try Tensor((0..<16).map { Int32($0 % 10) }, shape: [16]))
            let batch = try data.batches(size: 16).batch(at: 0)
            for _ in 0..<3 { try trainer.step(batch) }
            return (trainer.sessionBytes, trainer.copyStates(), trainer.stepFunction.nodes.count)
        }
        let kept = try trained(recompute: false), again = try trained(recompute: true)
        XCTAssertEqual(kept.states, again.states)
        XCTAssertEqual(again.nodes - kept.nodes, 5, "the batch norms whose results products of the backward part read")
        XCTAssertLessThan(Double(again.bytes), 0.9 * Double(kept.bytes))
    }

    /// The f32 states after one step on fixed samples.
    private func states(afterStepOf graph: Graph) throws -> [(name: String, values: [Float])] {
        let session = try Session(try ApusRuntime.Model(graph))
        defer { session.destroy() }
        let type = try graph.functions[0].inputs[0].type.resolved([5])
        var random = Philox(seed: 5)
        let x = try Tensor((0..<type.shape.count).map { _ in random.uniform() }, shape: type.shape.dimensions)
        try session.set(input: 0, x)
        try session.set(input: 1, try Tensor((0..<5).map { Int32($0) }, shape: [5]))
        try session.set(input: 2, try Tensor([Float(0.1)], shape: []))
        try session.checkReady(function: 0)
        try session.run()
        return graph.states.enumerated().filter { $1.type.dtype == .f32 }.map { index, state in
            (state.name, [Float](session.state(index).bindMemory(to: Float.self)))
        }
    }
}
