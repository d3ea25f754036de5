import ApusGraph
import XCTest

@testable import Apus

/// Mistakes of a program are errors that name what was found and what is wanted, before anything is trained on them.
final class MisuseTests: XCTestCase {
    private let loss = SparseCategoricalCrossEntropy(fromLogits: true)

    private func network(seed: UInt64 = 0) throws -> Network {
        try Sequential(input: [4], seed: seed) {
            Dense(5, activation: .relu)
            Dense(3)
        }
    }

    private func data(_ count: Int, label: Int32? = nil) throws -> Dataset {
        var random = Philox(seed: 4)
        var labels = (0..<count).map { Int32($0 % 3) }
        if let label { labels[count - 2] = label }
        return try Dataset(
            inputs: Tensor((0..<count * 4).map { _ in random.uniform() }, shape: [count, 4]), targets: Tensor(labels))
    }

    private func trainer(_ network: Network, loss: (any Loss)? = nil, optimizer: any Optimizer = SGD()) throws -> Trainer {
        try Trainer(network, loss: loss ?? self.loss, optimizer: optimizer, batchSize: 8, threads: 1)
    }

    func testSizesThatNoMemoryHolds() {
        func refused(_ input: [Int], _ part: String, line: UInt = #line, @LayerBuilder layers: () -> [Layer]) {
            let found = message { _ = try Sequential(input: input, layers: layers) }
            XCTAssertTrue(found.contains(part), found, line: line)
        }
        refused([4], "units, wanted at most 2147483647") { Dense(.max) }
        refused([4], "units, wanted at most 2147483647") { Dense(1 << 40) }
        refused([1 << 30], "no memory for a tensor of 576460752303423488 bytes") { Dense(1 << 27) }
        refused([.max], "is too large") { Dense(3) }
        refused([4, 2], "layer 'lstm': 9223372036854775807 units") { LSTM(.max) }
        refused([4, 4, 2], "filters, wanted at most 2147483647") { Conv2D(.max, kernel: 3) }
        refused([4, 4, 2], "is too large") { Conv2D(1, kernel: Size2D(1 << 40, 1 << 40)) }
        refused([4, 4, 2], "filters a channel") { DepthwiseConv2D(kernel: 3, multiplier: .max) }
        refused([4, 4, 2], "pixels of stride") { Conv2DTranspose(1, kernel: 2, stride: Size2D(1, .min)) }
        refused([4, 2], "with dilation 1099511627776") { Conv1D(1, kernel: 3, padding: .causal, dilation: 1 << 40) }
        refused([4, 4], "channels a head") { MultiHeadAttention(heads: 2, size: .max) }
        refused([4], "is too large") { Reshape([2, 2]); Flatten(); Embedding(.max, .max) }
        refused([4, 8], "shape [9223372036854775807, 8] is too large") { SinusoidalPositions(.max) }
        refused([4, 8], "no memory for a tensor of 35184372088832 bytes") { SinusoidalPositions(1 << 40) }
        for length in [.max, 1 << 40] {
            refused([4, 8], "layer 'multiheadattention': ") {
                MultiHeadAttention(heads: 2, rotary: RotaryPositions(length: length))
            }
        }
        refused([4, 4, 2], "negative cropping") { Cropping2D(Margins(left: .min, right: .min)) }
        refused([4, 4, 2], "negative cropping") { Cropping2D(-1) }
    }

    func testNetworks() throws {
        let a = Input([4], name: "a"), layer = Dense(2)
        XCTAssertFails(.invalidArgument, "0 inputs, wanted 1") { try Network(inputs: [a], outputs: [Dense(1)()]) }
        XCTAssertFails(.invalidArgument, "2 inputs, wanted 1") { try Network(inputs: [a], outputs: [Dense(1)(a, a)]) }
        XCTAssertFails(.invalidArgument, "without an output") { try Network(inputs: [a], outputs: []) }
        XCTAssertFails(.invalidArgument, "'a' is listed twice") { try Network(inputs: [a, a], outputs: [layer(a)]) }
        XCTAssertFails(.badShape, "'input' of shape [-1]") { try Sequential(input: [-1]) { Dense(1) } }
        XCTAssertFails(.badShape, "wanted [batch, …, channels]") { try Sequential(input: []) { Dense(1) } }
        XCTAssertFails(.invalidArgument, "-1 layers") {
            try ModelLibrary.gpt(vocabulary: 9, context: 4, width: 8, heads: 2, layers: -1)
        }
        let table = Embedding(5, 4)
        XCTAssertFails(.invalidArgument, "layer 'Embedding' has no parameter 'embeddings' yet, wanted it before 'tieddense'") {
            try Sequential(input: [4]) { TiedDense(table) }
        }
        let unused = try Network(inputs: [Input([2]), a], outputs: [layer(a)])
        XCTAssertEqual(try unused.inferenceGraph().functions[0].inputs.map(\.name), ["input", "a"])
    }

    func testValuesOfAnotherShapeAreNotTaken() throws {
        let network = try network(), before = network.parameters.all.map(\.value)
        let other = try Sequential(input: [4], seed: 9) {
            Dense(5)
            Dense(2)
        }
        XCTAssertFails(.badShape, "'dense_1/kernel' set to f32 [5, 2], wanted f32 [5, 3]") {
            try network.parameters.take(from: other.parameters)
        }
        XCTAssertEqual(network.parameters.all.map(\.value), before)
    }

    func testOwnParts() throws {
        final class Nothing: Layer {
            override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] { [] }
        }
        struct Three: Initializer {
            func tensor(_ shape: [Int], _ random: inout Philox) throws(ApusError) -> Tensor { try .zeros(.f32, shape: [3]) }
        }
        struct Errors: Loss {
            var name: String { "errors" }
            func value(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> Value {
                try builder(.sub, prediction, target)
            }
        }
        XCTAssertFails(.invalidArgument, "layer 'nothing': 0 tensors made, wanted 1") {
            try Sequential(input: [4]) { Nothing() }
        }
        XCTAssertFails(.badShape, "'dense/kernel': its initializer gave f32 [3], wanted f32 [4, 2]") {
            try Sequential(input: [4]) { Dense(2, kernelInitializer: Three()) }
        }
        XCTAssertFails(.badShape, "loss 'errors' is f32[8, 3], wanted a float scalar") {
            try trainer(network(), loss: Errors())
        }
    }

    func testPredict() throws {
        let network = try network(), x = try data(9).inputs[0].tensor
        XCTAssertEqual(try network.predict(x.rows(0..<0)), try Tensor([] as [Float], shape: [0, 3]))
        XCTAssertFails(.badShape, "wanted f32[1, 4]") { try network.predict(Tensor.zeros(.f32, shape: [0, 5])) }
        for size in [0, -1] {
            XCTAssertFails(.invalidArgument, "batch size \(size)") { try network.predict(x, batchSize: size) }
            XCTAssertFails(.invalidArgument, "a largest batch of \(size)") { try network.exportGraph(maximumBatch: size) }
        }
        XCTAssertFails(.badShape, "'input' given as f32 [], wanted [samples, …]") {
            try network.predict(Tensor([1] as [Float], shape: []))
        }
        let a = Input([4], name: "a"), b = Input([4], name: "b")
        let sum = try Network(inputs: [a, b], outputs: [Add()(a, b)])
        for rows in [8, 9] {
            XCTAssertFails(.badShape, "'b' given as f32 [\(17 - rows), 4], wanted \(rows) rows as 'a' has") {
                try sum.predict([x.rows(0..<rows), x.rows(0..<17 - rows)])
            }
        }
    }

    func testEvaluate() throws {
        let network = try network()
        for output in [1, -1] {
            XCTAssertFails(.invalidArgument, "of output \(output), wanted 0 ..< 1") {
                try network.evaluate(data(9), metrics: [Accuracy().on(output: output)])
            }
        }
        XCTAssertFails(.invalidArgument, "label 3 of sample 7, wanted 0 ... 2") {
            try network.evaluate(data(9, label: 3), losses: [loss], batchSize: 4)
        }
    }

    func testLabels() throws {
        let losses = [
            loss, SparseCategoricalCrossEntropy(fromLogits: true, labelSmoothing: 0.1),
            SparseCategoricalCrossEntropy(fromLogits: true, classWeights: [1, 2, 3]),
        ]
        for loss in losses {
            for label in [-1, 3] as [Int32] {
                XCTAssertFails(.invalidArgument, "label \(label) of sample 7, wanted 0 ... 2") {
                    try trainer(network(), loss: loss).fit(data(9, label: label), epochs: 1)
                }
            }
        }
        XCTAssertFails(.invalidArgument, "a class weight of -1.0") {
            try trainer(network(), loss: SparseCategoricalCrossEntropy(fromLogits: true, classWeights: [1, 2, -1]))
        }
    }

    func testTrainingOnNothing() throws {
        XCTAssertFails(.invalidArgument, "training on 0 samples") {
            try trainer(network()).fit(data(9).rows(0..<0), epochs: 1)
        }
        let x = try data(1).inputs[0].tensor
        func sample(_ names: [String]) throws -> Dataset {
            try Dataset(inputs: x, targets: Tensor([0] as [Int32]), classNames: names)
        }
        XCTAssertFails(.invalidArgument, "validation: class 'zebra', wanted one of ant, bee") {
            try trainer(network()).fit(sample(["ant", "bee"]), epochs: 1, validation: .data(sample(["zebra"])))
        }
        XCTAssertFails(.invalidArgument, "validation on 0 samples") {
            try trainer(network()).fit(data(9), epochs: 1, validation: .data(data(9).rows(0..<0)))
        }
    }

    func testSourcesOfNegativeCount() throws {
        struct Source: SampleSource {
            let count = -1, inputFields = [SampleField("input", .f32, [4])], targetFields = [SampleField("target", .i32, [])]
            func rows(_ indices: [Int]) throws(ApusError) -> Dataset { throw .argument("rows of none") }
        }
        XCTAssertFails(.invalidArgument, "a source of -1 samples, wanted 0 or more") {
            try network().evaluate(Source(), losses: [loss])
        }
        XCTAssertFails(.invalidArgument, "rows of none") { try Source().balancedClassWeights() }
        XCTAssertFails(.invalidArgument, "one-hot rows of \(Int.min) classes, wanted 1 or more") {
            try data(9).oneHot(classes: .min)
        }
    }

    func testNumbersThatAreNotFinite() throws {
        for number in [.nan, .infinity, -.infinity] as [Double] {
            XCTAssertFails(.invalidArgument, "scores times \(number), wanted a finite scale") {
                try Sequential(input: [4, 8]) { MultiHeadAttention(heads: 2, scale: number) }
            }
            for (scale, offset) in [(number, 0), (1, number)] {
                XCTAssertFails(.invalidArgument, "scale \(scale) and offset \(offset), wanted finite ones") {
                    try Sequential(input: [4]) { Rescaling(scale, offset: offset) }
                }
            }
            for regularizer in [L1(number), L2(number), L1L2(l1: number), L1L2(l2: number)] as [any Regularizer] {
                XCTAssertFails(.invalidArgument, "a penalty of factor \(number), wanted a finite one") {
                    try trainer(Sequential(input: [4]) { Dense(3, kernelRegularizer: regularizer) })
                }
            }
        }
        for delta in [-1, 0, .nan, .infinity, 1e300] {
            XCTAssertFails(.invalidArgument, "delta \(delta), wanted a positive finite one") {
                try trainer(network(), loss: Huber(delta: delta))
            }
        }
        for start in [-1, .nan, .infinity] {
            XCTAssertFails(.invalidArgument, "accumulator of optimizer 'adagrad' \(start) at first, wanted a finite value") {
                try trainer(network(), optimizer: Adagrad(initialAccumulator: start))
            }
        }
    }

    func testRatesAndLimits() throws {
        for rate in [-1, .nan, .infinity] {
            XCTAssertFails(.invalidArgument, "learning rate \(rate) of step 0") {
                try trainer(network(), optimizer: SGD(learningRate: rate)).fit(data(9), epochs: 1)
            }
        }
        for size in [0, 1 << 31, .max] {
            XCTAssertFails(.invalidArgument, "batch size \(size), wanted 1 ... 2147483647") {
                try Trainer(network(), loss: loss, optimizer: SGD(), batchSize: size)
            }
        }
        for limit in [-1, 0, .nan] {
            XCTAssertFails(.invalidArgument, "clipped to \(limit)") {
                try trainer(network(), optimizer: SGD(clipping: .value(limit)))
            }
        }
    }
}
