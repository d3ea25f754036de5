import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus

final class QuantizationAwareTests: XCTestCase {
    private let crossEntropy = SparseCategoricalCrossEntropy(fromLogits: true)

    /// Every kind of place: folded batch norms, depthwise layers, a residual, an activation that codes cannot express, a
    /// concatenation, pools, dropout.
    private func network(seed: UInt64 = 5, dropout: Double = 0.1) throws -> Network {
        let x = Input([8, 8, 1], name: "x")
        var y = ReLU6(name: "stem")(BatchNorm(momentum: 0.8)(Conv2D(8, kernel: 3, padding: .same, usesBias: false)(x)))
        y = Residual(activation: .relu) {
            DepthwiseConv2D(kernel: 3, padding: .same, usesBias: false, name: "depthwise")
            BatchNorm(momentum: 0.8)
            ReLU()
            Conv2D(8, kernel: 1, usesBias: false, name: "pointwise")
            BatchNorm(momentum: 0.8)
        }.apply([y])[0]
        let smooth = Conv2D(8, kernel: 3, padding: .same, activation: .silu, name: "smooth")(y)
        let joined = MaxPool2D(2)(Concat(name: "joined")(y, smooth))
        let mean = GlobalAvgPool2D(name: "mean")(joined)
        let logits = Dense(4, name: "logits")(Dropout(dropout)(Dense(16, activation: .relu, name: "hidden")(mean)))
        return try Network(inputs: [x], outputs: [logits], outputNames: ["scores"], name: "aware", seed: seed)
    }

    private func trainer(_ network: Network, threads: Int = 1) throws -> Trainer {
        try Trainer(
            network, loss: crossEntropy, optimizer: Adam(learningRate: 0.01), metrics: [Accuracy()], batchSize: 16, seed: 7,
            threads: threads)
    }

    func testPlacesAreThoseOfTheIntegerGraph() throws {
        let network = try network()
        try network.quantizationAware(.int8)
        let places = try XCTUnwrap(network.quantization).places
        XCTAssertEqual(places.products, ["conv2d", "depthwise", "pointwise", "smooth", "hidden", "logits"])
        XCTAssertEqual(
            Set(places.values),
            ["x", "stem", "relu", "relu_1", "smooth", "smooth/Silu", "joined", "mean", "hidden/Relu"])
        XCTAssertNotNil(network.parameters["stem/range"])
    }

    func testExceptedLayersStayReal() throws {
        let network = try network()
        try network.quantizationAware(.int8, except: ["logits", "depthwise"])
        let places = try XCTUnwrap(network.quantization).places
        XCTAssertFalse(places.products.contains("logits"))
        XCTAssertFalse(places.products.contains("depthwise"))
        try trainer(network).fit(try SmallTraining.quarters(32), epochs: 1)
        let nodes = try network.exportGraph().functions[0].nodes
        XCTAssertEqual(nodes.first { $0.name == "logits" }?.op.name, "Dense")
        XCTAssertEqual(nodes.first { $0.name == "depthwise" }?.op.name, "Conv2D")
        XCTAssertEqual(nodes.first { $0.name == "pointwise" }?.op.name, "QuantizedConv2D")
    }

    /// From random weights to an integer model that classifies, without calibration; what it predicts in the trainer are the
    /// bytes that the file gives.
    func testTrainsFromScratchAndExportsWhatItPredicts() throws {
        for ranges in [RangeRule.movingAverage(momentum: 0.9), .learned(afterEpoch: 1)] {
            let network = try network()
            try network.quantizationAware(.int8, ranges: ranges)
            try network.freezeBatchNorm(afterEpoch: 6)
            let data = try SmallTraining.quarters(160)
            let history = try trainer(network).fit(data, epochs: 8, validation: .data(try SmallTraining.quarters(80, seed: 9)))
            XCTAssertGreaterThan(try XCTUnwrap(history.last?["val_accuracy"]), 0.9, "\(ranges)")
            let graph = try network.exportGraph()
            XCTAssertEqual(graph.functions[0].nodes.filter { $0.op.name.hasPrefix("Quantized") }.count, 7)
            XCTAssertEqual(graph.functions[0].nodes.filter { $0.op.name == "Quantize" }.count, 1)
            XCTAssertFalse(graph.functions[0].nodes.contains { $0.op.name == "Dequantize" })
            let folder = try ScratchFolder(), path = folder.file("aware.apus")
            try network.export(to: path)
            let images = data.inputs[0].tensor
            let wanted = try network.predict(images, threads: 1)
            let file = try Runner(try ApusRuntime.Model(path: path).graph, threads: 2)
            for start in stride(from: 0, to: 64, by: 16) {
                XCTAssertEqual(try file.run([try images.rows(start..<start + 16)])[0], try wanted.rows(start..<start + 16))
            }
        }
    }

    /// With fixed ranges and statistics, the step's forward pass on rounded numbers is the integer graph but for how sums are
    /// rounded: half of the logits agree to a thousandth of the largest, all to a twentieth.
    func testForwardOfAStepIsTheIntegerForm() throws {
        let network = try network(dropout: 0)
        try network.quantizationAware(.int8, ranges: .movingAverage(momentum: 0.5))
        let data = try SmallTraining.quarters(64)
        let trainer = try trainer(network)
        try trainer.fit(data, epochs: 4)
        try network.freezeObservers(afterEpoch: 4)
        try network.freezeBatchNorm(afterEpoch: 4)
        try trainer.plan(epoch: 4)
        trainer.learningRateOverride = 0
        let batch = try data.batches(size: 16, shuffleSeed: 0, epoch: 0).batch(at: 0)
        let integers = try network.predict(batch.inputs[0].tensor).doubles()
        try trainer.step(batch)
        let step = try trainer.prediction(0).doubles(), largest = integers.map { abs($0) }.max()!
        let differences = zip(step, integers).map { abs($0 - $1) / largest }.sorted()
        XCTAssertLessThan(differences[step.count / 2], 1e-3)
        XCTAssertLessThan(differences[step.count - 1], 0.05)
    }

    /// Weights of a transposed convolution are rounded by output channels; nothing of an autoencoder stays real.
    func testTransposedConvolutions() throws {
        let x = Input([8, 8, 1], name: "x")
        var y = Conv2D(8, kernel: 3, stride: 2, padding: .same, activation: .relu)(x)
        y = Conv2DTranspose(6, kernel: 3, stride: 2, padding: .same, activation: .relu, name: "up")(y)
        y = Conv2D(1, kernel: 3, padding: .same, activation: .sigmoid)(y)
        let network = try Network(inputs: [x], outputs: [y], outputNames: ["image"], name: "autoencoder", seed: 5)
        try network.quantizationAware(.int8, ranges: .movingAverage(momentum: 0.5))
        XCTAssertTrue(try XCTUnwrap(network.quantization).places.products.contains("up"))
        let images = try SmallTraining.quarters(64).inputs[0].tensor
        let data = try Dataset(inputs: [NamedTensor("x", images)], targets: [NamedTensor("image", images)])
        let trainer = try Trainer(
            network, loss: MSE(), optimizer: Adam(learningRate: 0.01), batchSize: 16, seed: 7, threads: 1)
        try trainer.fit(data, epochs: 4)
        XCTAssertEqual(
            try network.exportGraph().functions[0].nodes.map { $0.op.name }.filter { !["Reshape", "Transpose", "Slice"].contains($0) },
            ["Quantize", "QuantizedConv2D", "QuantizedConv2D", "QuantizedConv2D", "Lookup"])
        try network.freezeObservers(afterEpoch: 4)
        try trainer.plan(epoch: 4)
        trainer.learningRateOverride = 0
        let batch = try data.batches(size: 16, shuffleSeed: 0, epoch: 0).batch(at: 0)
        let integers = try network.predict(batch.inputs[0].tensor).doubles()
        try trainer.step(batch)
        let differences = zip(try trainer.prediction(0).doubles(), integers).map { abs($0 - $1) }.sorted()
        XCTAssertLessThan(differences[differences.count / 2], 1e-3)
        XCTAssertLessThan(differences[differences.count - 1], 0.05)
    }

    /// Values behind a transpose are places as the layers name them, though the exported graph may move the transpose.
    func testTransposesBetweenProducts() throws {
        let x = Input([8, 8, 1], name: "x")
        var y = Conv2D(8, kernel: 3, padding: .same, activation: .relu, name: "before")(x)
        y = ReLU(name: "turned")(Permute(2, 1, 3)(y))
        y = Conv2D(8, kernel: 3, padding: .same, activation: .relu, name: "behind")(Concat()(y, Permute(2, 1, 3)(y)))
        let logits = Dense(4, name: "logits")(GlobalAvgPool2D(name: "mean")(y))
        let network = try Network(inputs: [x], outputs: [logits], outputNames: ["scores"], name: "turned", seed: 5)
        try network.quantizationAware(.int8)
        XCTAssertEqual(try XCTUnwrap(network.quantization).places.products, ["before", "behind", "logits"])
        let data = try SmallTraining.quarters(64)
        try trainer(network).fit(data, epochs: 2)
        let graph = try network.exportGraph(), images = data.inputs[0].tensor
        XCTAssertFalse(graph.functions[0].nodes.contains { ["Conv2D", "Dense", "Dequantize"].contains($0.op.name) })
        XCTAssertEqual(try Runner(graph, threads: 2).run([images])[0], try network.predict(images, threads: 1))
    }

    /// Interrupted in every stage of a training and resumed, it ends with the same bytes in every state.
    func testResumesAcrossStages() throws {
        func fresh() throws -> Trainer {
            let network = try network()
            try network.quantizationAware(.int8, ranges: .learned(afterEpoch: 1))
            try network.freezeBatchNorm(afterEpoch: 2)
            try network.freezeObservers(afterEpoch: 3)
            return try trainer(network)
        }
        let data = try SmallTraining.quarters(32), folder = try ScratchFolder()
        let whole = try fresh()
        try whole.fit(data, epochs: 4)
        for cut in 2...whole.progress.step {
            let path = folder.file("\(cut).apus")
            XCTAssertThrowsError(
                try fresh().fit(
                    data, epochs: 4, callbacks: [Interruption(afterStep: cut)],
                    checkpoint: CheckpointPolicy(path, everyBatches: 1)))
            let resumed = try fresh()
            try resumed.restore(path)
            try resumed.fit(data, epochs: 4)
            XCTAssertEqual(resumed.copyStates(), whole.copyStates(), "from step \(cut - 1)")
        }
    }

    /// Layers that emit more in training, or call what they share twice, and values that are not the first of their node.
    func testOtherLayers() throws {
        let norm = Apus.BatchNorm(momentum: 0.8), embedding = Embedding(7, 4)
        let recurrent: [[Layer]] = [
            [GRU(4), Dense(3)], [SimpleRNN(4, dropout: 0.1), Dense(3)], [LSTM(4, dropout: 0.1, recurrentDropout: 0.1), Dense(3)],
            [GRU(4, returnSequences: true, recurrentDropout: 0.1), Dense(3)],
            [Bidirectional(LSTM(4, returnSequences: true, dropout: 0.1)), Dense(3)],
            [Dense(4), norm, ReLU(), Dense(4), norm, Dense(3)],
        ]
        var random = Philox(seed: 2)
        let real = try Tensor((0..<96).map { _ in Float(random.normal()) }, shape: [8, 4, 3])
        let words = try Tensor((0..<32).map { Int32($0 % 7) }, shape: [8, 4])
        let tied: [Layer] = [embedding, Dense(4, activation: .relu), TiedDense(embedding)]
        for (layers, data) in recurrent.map({ ($0, real) }) + [(tied, words)] {
            let x = Input([4] + data.shape.dropFirst(2), dtype: data.dtype, name: "x")
            let network = try Network(inputs: [x], outputs: [layers.reduce(x) { $1($0) }], seed: 4)
            let y = try Tensor.zeros(.f32, shape: network.predict(data, threads: 1).shape)
            try network.quantizationAware(.int8)
            let trainer = try Trainer(network, loss: MSE(), optimizer: Adam(), batchSize: 8, seed: 1, threads: 1)
            try trainer.fit(try Dataset(inputs: [NamedTensor("x", data)], targets: [NamedTensor("output", y)]), epochs: 2)
            let graph = try network.exportGraph()
            XCTAssertTrue(graph.functions[0].nodes.contains { $0.op.name == "QuantizedDense" }, layers[0].name)
            XCTAssertEqual(try Runner(graph, threads: 2).run([data])[0], try network.predict(data, threads: 1), layers[0].name)
        }
    }

    /// Tables of embeddings and the weights of states are rounded too: with learning rate 0 and fixed ranges, a step gives what the
    /// integer form does, but for how sums and the state's codes are rounded.
    func testTablesAndStates() throws {
        let recurrent: [[Layer]] = [
            [GRU(32, recurrentDropout: 0.1)], [GRU(32, resetAfter: false, returnSequences: true), SimpleRNN(32)],
            [Bidirectional(LSTM(32))],
        ]
        var random = Philox(seed: 2)
        let words = try Tensor((0..<256).map { _ in Int32(random.uniform() * 600) }, shape: [32, 8])
        let signs = try words.array(of: Int32.self).enumerated().filter { $0.offset % 8 == 7 }.map { Float($0.element % 2) }
        let y = try Tensor(signs, shape: [32, 1])
        for layers in recurrent {
            let x = Input([8], dtype: .i32, name: "x")
            let logits = Dense(1, name: "logits")(layers.reduce(Embedding(600, 32, maskZero: true)(x)) { $1($0) })
            let network = try Network(inputs: [x], outputs: [logits], seed: 4)
            try network.quantizationAware(.int8, ranges: .movingAverage(momentum: 0.5))
            let trainer = try Trainer(
                network, loss: MSE(), optimizer: Adam(learningRate: 0.01), batchSize: 32, seed: 1, threads: 1)
            let data = try Dataset(inputs: [NamedTensor("x", words)], targets: [NamedTensor("output", y)])
            let losses = try trainer.fit(data, epochs: 6).map { try XCTUnwrap($0["loss"]) }
            XCTAssertLessThan(losses[5], losses[0], layers[0].name)
            let graph = try network.exportGraph()
            for node in graph.functions[0].nodes {
                XCTAssertFalse(node.op is ApusGraph.Gather, node.name)
                if let layer = node.op as? RecurrentLayer { XCTAssertNotNil(layer.stateProduct.op, node.name) }
            }
            let integers = try network.predict(words, threads: 1)
            XCTAssertEqual(try Runner(graph, threads: 2).run([words])[0], integers, layers[0].name)
            guard layers.count > 1 else { continue }
            try network.freezeObservers(afterEpoch: 6)
            try trainer.plan(epoch: 6)
            trainer.learningRateOverride = 0
            try trainer.step(try data.batches(size: 32, shuffleSeed: 0, epoch: 0).batch(at: 0))
            let wanted = try integers.doubles(), found = try trainer.prediction(0).doubles().sorted()
            for (a, b) in zip(found, wanted.sorted()) { XCTAssertEqual(a, b, accuracy: 0.05 * wanted.map { abs($0) }.max()!) }
        }
    }

    /// Tables that a transformer reads and writes with, one of positions, and one that is read twice.
    func testTablesOfTransformers() throws {
        let shared = Embedding(600, 32), x = Input([8], dtype: .i32, name: "x"), z = Input([8], dtype: .i32, name: "z")
        let twice = try Network(
            inputs: [x, z], outputs: [Dense(600)(Add()(shared(x), shared(z)))], outputNames: ["output"], name: "twice", seed: 4)
        let networks = [
            try ModelLibrary.gpt(vocabulary: 600, context: 8, positions: 600, width: 32, heads: 2, layers: 1, seed: 4),
            try ModelLibrary.gpt(vocabulary: 600, context: 8, width: 32, heads: 2, layers: 1, tied: false, seed: 4), twice,
        ]
        let words = try Tensor((0..<128).map { Int32($0 * 37 % 600) }, shape: [16, 8])
        for network in networks {
            try network.quantizationAware(.int8)
            let tables = try XCTUnwrap(network.quantization).places.tables.count
            XCTAssertGreaterThan(tables, 0, network.name)
            let inputs = network.inputNames.map { NamedTensor($0, words) }
            let data = try Dataset(inputs: inputs, targets: [NamedTensor(network.outputNames[0], words)])
            let trainer = try Trainer(network, loss: crossEntropy, optimizer: Adam(), batchSize: 16, seed: 1, threads: 1)
            try trainer.fit(data, epochs: 2)
            let graph = try network.exportGraph()
            XCTAssertEqual(graph.functions[0].nodes.count { $0.op is WeightOnlyGather }, tables, network.name)
            let tensors = inputs.map { $0.tensor }
            XCTAssertEqual(try Runner(graph, threads: 2).run(tensors)[0], try network.predict(tensors, threads: 1)[0], network.name)
        }
    }

    /// Ranges move in the first epoch and are trained in the next; frozen, nothing of them moves.
    func testStagesOfRanges() throws {
        let network = try network(), data = try SmallTraining.quarters(32)
        try network.quantizationAware(.int8, ranges: .learned(afterEpoch: 1))
        try network.freezeObservers(afterEpoch: 2)
        let trainer = try trainer(network)
        var seen: [[Float]] = [[0, 0]]
        for epoch in 1...4 {
            try trainer.fit(data, epochs: epoch)
            seen.append(try XCTUnwrap(network.parameters["stem/range"]).array(of: Float.self))
        }
        XCTAssertEqual(seen[1][0], 0, "ReLU6 has no values below 0")
        XCTAssertGreaterThan(seen[1][1], 0)
        XCTAssertNotEqual(seen[1], seen[2])
        XCTAssertEqual(seen[2], seen[3])
        XCTAssertEqual(seen[3], seen[4])
    }

    func testFrozenBatchNormKeepsItsStatistics() throws {
        let network = try network(), data = try SmallTraining.quarters(32)
        try network.quantizationAware(.int8)
        try network.freezeBatchNorm(afterEpoch: 1)
        let trainer = try trainer(network)
        func statistics() -> [Tensor] {
            network.parameters.all.filter { $0.name.contains("/moving_") }.map { $0.value }
        }
        let start = statistics()
        try trainer.fit(data, epochs: 1)
        let first = statistics(), gamma = network.parameters["batchnorm/gamma"]
        try trainer.fit(data, epochs: 2)
        XCTAssertNotEqual(start, first)
        XCTAssertEqual(first, statistics())
        XCTAssertNotEqual(gamma, network.parameters["batchnorm/gamma"], "still trained")
    }

    func testFineTunesLoadedWeights() throws {
        let data = try SmallTraining.quarters(160), test = try SmallTraining.quarters(80, seed: 9)
        let real = try network(), folder = try ScratchFolder(), path = folder.file("real.apus")
        try trainer(real).fit(data, epochs: 6, checkpoint: CheckpointPolicy(path))
        let tuned = try network(seed: 99)
        try tuned.quantizationAware(.int8)
        try tuned.loadWeights(path)
        XCTAssertEqual(tuned.parameters["smooth/kernel"], real.parameters["smooth/kernel"])
        try trainer(tuned).fit(data, epochs: 1)
        let before = try real.evaluate(test, metrics: [Accuracy()])["accuracy"]
        let after = try tuned.evaluate(test, metrics: [Accuracy()])["accuracy"]
        XCTAssertGreaterThan(try XCTUnwrap(after), try XCTUnwrap(before) - 0.05)
        let other = try Sequential(input: [8, 8, 1]) { Flatten(); Dense(4) }
        XCTAssertTrue(message { try other.loadWeights(path) }.contains("no weights 'dense/kernel'"))
    }

    /// FakeQuantize gives the bytes of Quantize, then Dequantize.
    func testFakeQuantizationIsTheArithmeticOfCodes() throws {
        let codes = CodeScale(low: -1.25, high: 3.5)
        var random = Philox(seed: 1)
        let values = (0..<4000).map { _ in Float(random.normal()) * 2 } + [.nan, .infinity, -.infinity, 0, -0.0, 3.5, -1.25]
        func run(_ emit: (GraphBuilder, Value) throws -> Value) throws -> [UInt8] {
            let graph = Graph("f"), builder = GraphBuilder(graph, function: "f")
            let x = try builder.input("x", TensorType(.f32, [values.count]))
            builder.output("y", try emit(builder, x))
            builder.finish()
            return try Runner(graph, threads: 1).run([try Tensor(values, shape: [values.count])])[0].withUnsafeBytes { Array($0) }
        }
        let fake = try run { builder, x in
            builder.graph.constants.append(try Tensor([-1.25, 3.5] as [Float], shape: [2]).constant("range"))
            return try builder(FakeQuantize(), x, builder.constant(builder.graph.constants.count - 1))
        }
        let real = try run { try $0(Dequantize(), try $0(Quantize(to: codes), $1)) }
        XCTAssertEqual(fake, real)
    }

    func testRefusals() throws {
        let network = try network()
        XCTAssertTrue(message { try network.quantizationAware(.w4) }.contains("for w4, wanted int8"))
        XCTAssertTrue(message { try network.quantizationAware(.int8, except: ["nothing"]) }.contains("no node 'nothing'"))
        XCTAssertTrue(message { try network.freezeObservers(afterEpoch: 1) }.contains("not quantization-aware"))
        XCTAssertTrue(
            message { try network.quantizationAware(.int8, ranges: .learned(afterEpoch: 0)) }.contains("after 0 epochs"))
        let frozen = try self.network()
        try frozen.quantizationAware(.int8)
        try frozen.freezeObservers(afterEpoch: 0)
        XCTAssertTrue(
            message { try trainer(frozen).fit(try SmallTraining.quarters(16), epochs: 1) }.contains("before observers are frozen"))
        let early = try trainer(network)
        try network.quantizationAware(.int8)
        XCTAssertTrue(message { _ = try network.exportGraph() }.contains("train it first"))
        XCTAssertGreaterThan(try network.summary().fileBytes, 1000, "sizes are known before")
        XCTAssertTrue(
            message { try early.fit(try SmallTraining.quarters(16), epochs: 1) }.contains("quantization-aware after its trainer"))
    }
}
