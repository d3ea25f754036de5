import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus

/// Layers over time: the whole sequence and step by step, lengths, states, directions.
final class SequenceLayersTests: XCTestCase {
    private func sequence(_ shape: [Int], seed: UInt64 = 1) throws -> Tensor {
        var random = Philox(seed: seed)
        return try Tensor((0..<shape.reduce(1, *)).map { _ in 2 * random.uniform() - 1 }, shape: shape)
    }

    private func predict(_ layer: Layer, _ x: Tensor...) throws -> [Tensor] {
        let inputs = x.map { Input(Array($0.shape.dropFirst()), dtype: $0.dtype) }
        let network = try Network(inputs: inputs, outputs: layer.apply(inputs), seed: 3)
        return try network.predict(x, threads: 1)
    }

    func testWholeIsStepByStep() throws {
        let time = 9
        for threads in [1, 2] {
            let stacks: [[Layer]] = [
                [GRU(20, returnSequences: true), GRU(7, resetAfter: false, returnSequences: true)],
                [LSTM(16, returnSequences: true), Dense(5), LSTM(33, returnSequences: true)],
                [SimpleRNN(18, returnSequences: true)],
                [
                    Conv1D(12, kernel: 3, padding: .causal, dilation: 2, activation: .relu),
                    Conv1D(9, kernel: 2, padding: .causal),
                ],
                [
                    Conv1D(16, kernel: 4, padding: .causal), LayerNorm(), GRU(16, returnSequences: true), Dropout(0.5),
                    Conv1D(3, kernel: 1),
                ],
            ]
            for layers in stacks {
                let network = try Sequential(input: [time, 6], seed: 5) { layers }
                let graph = try network.exportGraph(maximumBatch: 1, steps: StepOptions(chunks: [1, 3]))
                var options = SessionOptions()
                options.threads = threads
                let session = try Session(try ApusRuntime.Model(graph), options)
                defer { session.destroy() }
                let x = try sequence([1, time, 6])
                try session.set(input: 0, x)
                try session.run()
                let whole = try session.tensor(output: 0).array(of: Float.self).map { $0.bitPattern }
                for (function, chunk) in [(1, 1), (2, 3)] {
                    session.resetStates()
                    var parts: [UInt32] = []
                    for start in stride(from: 0, to: time, by: chunk) {
                        let values = try x.array(of: Float.self)[start * 6..<(start + chunk) * 6]
                        try session.set(function: function, input: 0, try Tensor(Array(values), shape: [1, chunk, 6]))
                        try session.run(function: function)
                        parts += try session.tensor(function: function, output: 0).array(of: Float.self).map { $0.bitPattern }
                    }
                    XCTAssertEqual(parts, whole, "\(layers.map { $0.kind }), \(chunk) at a time, \(threads) threads")
                }
            }
        }
    }

    func testWhatNeedsTheWholeSequenceIsNamed() throws {
        let layers: [Layer] = [
            GRU(4, returnSequences: true, goBackwards: true), Bidirectional(GRU(4, returnSequences: true)),
            Conv1D(4, kernel: 3, padding: .same), GlobalAvgPool1D(), MaxPool1D(),
        ]
        for layer in layers {
            let network = try Sequential(input: [4, 3]) { layer }
            XCTAssertThrowsError(try network.exportGraph(steps: StepOptions())) {
                XCTAssertTrue("\($0)".contains(layer.kind), "\($0)")
            }
        }
    }

    func testTheMeanOfAPaddedSequence() throws {
        let x = try sequence([3, 4, 2]), values = try x.array(of: Float.self)
        let mask = try Tensor([1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 0] as [Int32], shape: [3, 4])
        var wanted: [Double] = []
        for steps in [[0, 1, 2, 3], [5, 7]] {
            for channel in 0..<2 {
                wanted.append(steps.reduce(0) { $0 + Double(values[2 * $1 + channel]) } / Double(steps.count))
            }
        }
        wanted += [0, 0]
        let input = Input([4, 2]), padding = Input([4], dtype: .i32)
        let network = try Network(inputs: [input, padding], outputs: [GlobalAvgPool1D()(input, padding)])
        assertClose(try network.predict([x, mask])[0].doubles(), wanted, 1e-6)

        let lengths = try Tensor([4, 3, 0] as [Int64], shape: [3]), count = Input([], dtype: .i64)
        let byLength = try Network(inputs: [input, count], outputs: [GlobalAvgPool1D()(input, count)])
        let cut = try Tensor([1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0] as [Int32], shape: [3, 4])
        XCTAssertEqual(try byLength.predict([x, lengths]), try network.predict([x, cut]))

        let short = Input([3], dtype: .i32)
        XCTAssertThrowsError(try Network(inputs: [input, short], outputs: [GlobalAvgPool1D()(input, short)])) {
            XCTAssertTrue("\($0)".contains("wanted a mask [2, 4] or lengths [2] of i32 or i64"), "\($0)")
        }
    }

    /// The mean leaves out what a masked embedding says is padding, also through layers that treat each step alone.
    func testMeansOfMaskedEmbeddings() throws {
        func network(masked: Bool) throws -> Network {
            let ids = Input([4], dtype: .i32), count = Input([], dtype: .i32)
            let x = Dense(3, activation: .tanh)(Embedding(6, 5, maskZero: masked)(ids))
            let mean = masked ? GlobalAvgPool1D()(x) : GlobalAvgPool1D()(x, count)
            return try Network(inputs: masked ? [ids] : [ids, count], outputs: [mean], seed: 3)
        }
        let ids = try Tensor([1, 5, 2, 3, 4, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0] as [Int32], shape: [4, 4])
        let lengths = try Tensor([4, 1, 3, 0] as [Int32], shape: [4])
        XCTAssertEqual(
            try network(masked: true).predict(ids), try network(masked: false).predict([ids, lengths])[0])
    }

    func testLengthsEndSequences() throws {
        let x = try sequence([3, 6, 4]), lengths = try Tensor([6, 2, 0] as [Int32], shape: [3])
        for reverse in [false, true] {
            let layers: [Recurrent] = [
                LSTM(5, returnSequences: true, returnState: true, goBackwards: reverse),
                GRU(5, returnSequences: true, returnState: true, goBackwards: reverse),
            ]
            for layer in layers {
                let found = try predict(layer, x, lengths)
                let short = try Tensor(Array(try x.array(of: Float.self)[24..<32]), shape: [1, 2, 4])
                let alone = try predict(layer, short)
                let y = try found[0].array(of: Float.self)
                // Sequence 1, its two steps and the padding; backwards the padding comes first.
                let steps = Array(y[30..<60]), pad = [Float](repeating: 0, count: 20), own = try alone[0].array(of: Float.self)
                XCTAssertEqual(steps, reverse ? pad + own : own + pad)
                for (state, wanted) in zip(found.dropFirst(), alone.dropFirst()) {
                    let values = try state.array(of: Float.self)
                    XCTAssertEqual(Array(values[5..<10]), try wanted.array(of: Float.self))
                    XCTAssertEqual(Array(values[10..<15]), [Float](repeating: 0, count: 5), "a sequence of no step")
                }
            }
        }
    }

    func testStatesContinueASequence() throws {
        let x = try sequence([2, 6, 4]), values = try x.array(of: Float.self)
        func part(_ steps: Range<Int>) throws -> Tensor {
            let rows = [0, 6].map { start in values[4 * (start + steps.lowerBound)..<4 * (start + steps.upperBound)] }
            return try Tensor(rows.flatMap { $0 }, shape: [2, steps.count, 4])
        }
        for layer in [LSTM(5, returnState: true), GRU(5, returnState: true), SimpleRNN(5, returnState: true)] as [Recurrent] {
            let whole = try predict(layer, x), first = try predict(layer, part(0..<2))
            let input = Input([4, 4]), states = first.dropFirst().map { Input(Array($0.shape.dropFirst())) }
            let network = try Network(inputs: [input] + states, outputs: layer.apply([input] + states), seed: 3)
            XCTAssertEqual(try network.predict([part(2..<6)] + first.dropFirst(), threads: 1), whole, layer.kind)
        }
    }

    func testMaskedEmbeddingGivesLengths() throws {
        let ids = try Tensor([3, 0, 2, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0] as [Int32], shape: [3, 5])
        let network = try Sequential(input: [5], dtype: .i32, seed: 2) {
            Embedding(4, 3, maskZero: true)
            GRU(6, returnSequences: true)
            Dense(2)
            LSTM(4)
        }
        let short = try Tensor([3, 0, 2] as [Int32], shape: [1, 3])
        let alone = try Sequential(input: [3], dtype: .i32, seed: 2) {
            Embedding(4, 3)
            GRU(6, returnSequences: true)
            Dense(2)
            LSTM(4)
        }
        let found = try network.predict(ids, threads: 1).array(of: Float.self)
        XCTAssertEqual(Array(found[0..<4]), try alone.predict(short, threads: 1).array(of: Float.self))
        XCTAssertEqual(Array(found[8..<12]), [0, 0, 0, 0], "a sequence of padding alone")
    }

    func testDropoutDropsTheSameChannelsAtEveryStep() throws {
        let layer = GRU(4, returnSequences: true, dropout: 0.5, recurrentDropout: 0.25)
        let network = try Sequential(input: [5, 8], seed: 1) { layer }
        let graph = try TrainingProgram(network, losses: [MSE()], optimizer: SGD(), .init(maximumBatch: 2)).graph
        let masks = graph.functions[0].nodes.filter { $0.op is ApusGraph.Dropout }
        XCTAssertEqual(masks.count, 2)
        XCTAssertEqual(graph.functions[0].nodes.compactMap { ($0.op as? RecurrentLayer)?.hasStateMask }, [true])
        let types = try ValidGraph(validating: graph).types(ofFunction: 0, dimensions: [2])
        let at = graph.functions[0].inputs.count
            + graph.functions[0].nodes.prefix { !($0.op is ApusGraph.Dropout) }.reduce(0) { $0 + $1.op.outputCount }
        XCTAssertEqual(types[at].shape, [2, 1, 8])
    }

    func testRefusals() throws {
        func refused(_ layer: Layer, _ shape: [Int], _ words: String, line: UInt = #line) {
            XCTAssertThrowsError(try Sequential(input: shape) { layer }, line: line) {
                XCTAssertTrue("\($0)".contains(words), "\($0)", line: line)
            }
        }
        refused(GRU(0), [4, 3], "0 units, wanted 1 or more")
        refused(LSTM(4), [3], "wanted [batch, time, channels]")
        refused(GRU(4, dropout: 1), [4, 3], "dropout")
        refused(Bidirectional(GRU(4, goBackwards: true)), [4, 3], "goes backwards")
        refused(Conv1D(4, kernel: 0), [4, 3], "a kernel of 0")
        refused(Embedding(4, 0), [4], "4 × 0")
    }

    func testTruncatedTrainingCarriesNoGradientAcrossInitialStates() throws {
        // The state that a window begins with is an input: nothing before it is part of the step.
        let x = Input([3, 2]), h = Input([4])
        let layer = GRU(4, returnState: true)
        let outputs = layer.apply([x, h])
        let network = try Network(inputs: [x, h], outputs: outputs, outputNames: ["y", "state"])
        let program = try TrainingProgram(network, losses: [MSE(), MSE()], weights: [1, 0], optimizer: SGD(), .init(maximumBatch: 2))
        XCTAssertTrue(program.graph.functions[0].nodes.contains { $0.op is RecurrentGradient })
    }

    /// Of 64 entries a block has 22, of 23 all and of 48 has 24.
    func testEveryBatchOfRecurrentLayers() throws {
        let cells: [() -> Layer] = [{ SimpleRNN(5) }, { GRU(5) }, { LSTM(5) }]
        for (cell, (most, threads)) in cells.flatMap({ cell in [(32, 1), (64, 1), (64, 2)].map { (cell, $0) } }) {
            let network = try Sequential(input: [2, 3], seed: 1) { cell(); Dense(2) }
            let trainer = try Trainer(
                network, loss: MSE(), optimizer: SGD(learningRate: 0.1), batchSize: most, threads: threads)
            let x = try Tensor.zeros(.f32, shape: [2 * most, 2, 3]), y = try Tensor.zeros(.f32, shape: [2 * most, 2])
            for count in 1...most {
                let data = try Dataset(inputs: x.rows(0..<count), targets: y.rows(0..<count))
                XCTAssertNoThrow(try trainer.step(Batch(data)), "\(count) of \(most)")
                XCTAssertNoThrow(
                    try network.predict(x.rows(0..<most + count), batchSize: most, threads: threads), "\(count) of \(most)")
            }
        }
    }
}
