import ApusGraph
import XCTest

@testable import Apus

/// Training by windows: states go on from one to the next, gradients do not.
final class WindowTrainingTests: XCTestCase {
    private static let window = 4

    private func network(length: Int) throws -> Network {
        try Sequential(input: [length, 3], seed: 5) {
            GRU(6, returnSequences: true)
            LSTM(5, returnSequences: true)
            SimpleRNN(4, returnSequences: true)
            Dense(2)
        }
    }

    private func data(_ count: Int, length: Int) throws -> Dataset {
        var random = Philox(seed: 3)
        func tensor(_ width: Int) throws -> Tensor {
            try Tensor((0..<count * length * width).map { _ in Float(random.normal()) }, shape: [count, length, width])
        }
        return try Dataset(inputs: tensor(3), targets: tensor(2))
    }

    private func trainer(_ network: Network, window: Int?, rate: Double, batch: Int) throws -> Trainer {
        try Trainer(
            network, loss: MSE(), optimizer: SGD(learningRate: rate), batchSize: batch, threads: 1, window: window)
    }

    /// Where nothing is learned the windows together are the sequences: in every batch states begin as zeros and go on.
    func testWindowsAreTheSequence() throws {
        let whole = try trainer(network(length: 12), window: nil, rate: 0, batch: 2)
        let parts = try trainer(network(length: Self.window), window: Self.window, rate: 0, batch: 2)
        let samples = try data(6, length: 12)
        let wanted = try whole.fit(samples, epochs: 2), found = try parts.fit(samples, epochs: 2)
        XCTAssertEqual(found.count, 2)
        for (f, w) in zip(found, wanted) { XCTAssertEqual(f["loss"]!, w["loss"]!, accuracy: 1e-6) }
        XCTAssertEqual(parts.progress.step, 2 * 3 * 3)
        // Windows on their own, which know nothing of those before, measure something else.
        let alone = try trainer(network(length: Self.window), window: nil, rate: 0, batch: 2)
        let cut = try Dataset(
            inputs: samples.inputs[0].tensor.reshaped([18, 4, 3]), targets: samples.targets[0].tensor.reshaped([18, 4, 2]))
        XCTAssertNotEqual(try alone.fit(cut, epochs: 1)[0]["loss"]!, wanted[0]["loss"]!, accuracy: 1e-4)
    }

    /// A step of the second window is that of a layer which is given the states of the first as constants.
    func testNoGradientFlowsIntoTheWindowBefore() throws {
        let samples = try data(2, length: 8), window = Self.window
        let carrying = try Sequential(input: [window, 3], seed: 5) { LSTM(2, returnSequences: true, name: "cell") }
        let training = try trainer(carrying, window: window, rate: 0, batch: 2)
        let batch = try samples.batches(size: 2).batch(at: 0), parts = try training.windows(of: batch)
        try training.step(parts[0])
        training.learningRateOverride = 0.1
        try training.step(parts[1])
        try training.updateNetwork()

        let x = Input([window, 3], name: "x"), h = Input([2], name: "h"), c = Input([2], name: "c")
        let layer = LSTM(2, returnSequences: true, returnState: true, name: "cell"), made = layer.apply([x, h, c])
        let first = try Network(inputs: [x, h, c], outputs: [made[1], made[2]], seed: 5)
        let zeros = try Tensor.zeros(.f32, shape: [2, 2])
        let states = try first.predict([parts[0].inputs[0].tensor, zeros, zeros])
        let given = try Network(inputs: [x, h, c], outputs: [made[0]], seed: 5)
        let other = try trainer(given, window: nil, rate: 0.1, batch: 2)
        let inputs = [NamedTensor("x", parts[1].inputs[0].tensor), NamedTensor("h", states[0]), NamedTensor("c", states[1])]
        try other.step(Batch(position: 0, indices: [0, 1], inputs: inputs, targets: parts[1].targets))
        try other.updateNetwork()
        for (f, w) in zip(carrying.parameters.all, given.parameters.all) {
            assertClose(try f.value.doubles(), try w.value.doubles(), 1e-6)
        }
    }

    func testWhatIsRefused() throws {
        func message(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return "nothing"
        }
        let small = try network(length: Self.window)
        XCTAssertTrue(message { _ = try trainer(small, window: 3, rate: 0, batch: 2) }.contains("windows of 3 for input"))
        XCTAssertTrue(message { _ = try trainer(small, window: 0, rate: 0, batch: 2) }.contains("a window of 0, wanted 1 or more"))
        XCTAssertTrue(message { try small.setContract(InputContract(), ofInput: 1) }.contains("input 1, wanted 0 ..< 1"))
        let training = try trainer(small, window: Self.window, rate: 0, batch: 2)
        let found = message { try training.fit(data(2, length: 6), epochs: 1) }
        XCTAssertTrue(found.contains("sequences of 6 elements in windows of 4, wanted a multiple"), found)
        let few = message { try training.fit(data(1, length: 8), epochs: 1) }
        XCTAssertEqual(few, "training on 1 samples, wanted 2 or more")
        let held = message { try training.fit(data(4, length: 8), epochs: 1, validation: .split(0.5)) }
        XCTAssertTrue(held.contains("f32 [2, 8, 3], wanted sequences of the window's 4"), held)
    }

    /// The windows of the batches since are run again, each with its own rate.
    func testNaNStopFindsTheSample() throws {
        let samples = try data(6, length: 12)
        var values = try samples.inputs[0].tensor.array(of: Float.self)
        values[4 * 12 * 3 + 20] = .nan
        let broken = try Dataset(inputs: Tensor(values, shape: [6, 12, 3]), targets: samples.targets[0].tensor)
        let training = try Trainer(
            try network(length: Self.window), loss: MSE(), optimizer: SGD(learningRate: StepDecay(0.01, factor: 0.5, every: 2)),
            batchSize: 2, threads: 1, window: Self.window)
        XCTAssertFails(.invalidArgument, "loss is nan at epoch 1", "'input' of sample 4 is not finite") {
            try training.fit(broken, epochs: 1, callbacks: [NaNStop()])
        }
    }
}
