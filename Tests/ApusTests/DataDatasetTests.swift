import ApusGraph
import XCTest

@testable import Apus

final class DataDatasetTests: XCTestCase {
    /// Sample i has the input [i, 10 i] and the target i.
    private func counting(_ count: Int) throws -> Dataset {
        try Dataset(
            inputs: Tensor((0..<count).flatMap { [Float($0), Float(10 * $0)] }, shape: [count, 2]),
            targets: Tensor((0..<count).map { Int32($0) }))
    }

    func testChecksItsTensors() throws {
        let x = try Tensor.zeros(.f32, shape: [3, 2])
        XCTAssertFails(.badShape, "\"target\"", "i32 [2]", "3 rows") {
            try Dataset(inputs: x, targets: .zeros(.i32, shape: [2]))
        }
        XCTAssertFails(.badShape, "no input") { try Dataset(inputs: [], targets: [NamedTensor("y", x)]) }
        XCTAssertFails(.invalidArgument, "twice") {
            try Dataset(inputs: [NamedTensor("x", x), NamedTensor("x", x)], targets: [])
        }
        XCTAssertFails(.badShape, "f32 []") {
            try Dataset(inputs: [NamedTensor("x", .zeros(.f32, shape: []))], targets: [])
        }
        let named = try Dataset(inputs: [NamedTensor("a", x), NamedTensor("b", x)], targets: [NamedTensor("y", x)])
        XCTAssertEqual(try named.rows([1]).inputs.map(\.name), ["a", "b"])
    }

    func testClassesAreNumberedByName() throws {
        let x = try Tensor.zeros(.f32, shape: [4, 1]), names = ["ant", "bee", "cat"]
        func data(_ indices: [Int32], _ names: [String]) throws -> Dataset {
            try Dataset(inputs: x, targets: Tensor(indices), classNames: names)
        }
        for (indices, own, wanted) in [
            ([0, 1, 0, 1] as [Int32], ["bee", "cat"], [1, 2, 1, 2] as [Int32]), ([0, -1, 2, 7], ["cat", "zebra", "ant"], [2, -1, 0, 7]),
            ([0, 1, 1, 0], ["2", "ant"], [2, 0, 0, 2]),
        ] {
            let renumbered = try data(indices, own).renumbered(to: names)
            XCTAssertEqual(try renumbered.targets[0].tensor.array(of: Int32.self), wanted)
            XCTAssertEqual(renumbered.classNames, names)
        }
        XCTAssertEqual(try data([0, 1, 2, 1], []).renumbered(to: names), try data([0, 1, 2, 1], []))
        XCTAssertEqual(try data([0, 1, 2, 1], names).renumbered(to: []), try data([0, 1, 2, 1], names))
        XCTAssertFails(.invalidArgument, "class 'zebra', wanted one of ant, bee, cat") {
            try data([0, 1, 0, 1], ["bee", "zebra"]).renumbered(to: names)
        }
        XCTAssertFails(.invalidArgument, "class '3', wanted one of") { try data([0, 0, 0, 0], ["3"]).renumbered(to: names) }
        XCTAssertFails(.badShape, "f32 [4, 2]", "wanted class indices") {
            try data([0, 1, 0, 1], ["bee", "cat"]).oneHot(classes: 2).renumbered(to: names)
        }
    }

    func testWeightsGoWithTheirSamples() throws {
        let plain = try counting(8)
        let data = try Dataset(
            inputs: plain.inputs, targets: plain.targets, weights: Tensor((0..<8).map { Float($0) / 2 }),
            classNames: (0..<8).map { "\($0)" })
        func check(_ found: Dataset, line: UInt = #line) throws {
            let samples = try found.inputs[0].tensor.array(of: Float.self).enumerated().filter { $0.offset % 2 == 0 }
            XCTAssertEqual(try found.weights?.array(of: Float.self), samples.map { $0.element / 2 }, line: line)
        }
        try check(data.rows(2..<5))
        try check(data.rows([6, 1]))
        let (training, validation) = try data.split(validation: 0.25, seed: 3)
        try check(training)
        try check(validation)
        try check(data.oneHot(classes: 8))
        try check(data.renumbered(to: (0..<9).reversed().map { "\($0)" }))
        try check(data.mapInputs { $0.tensor })
        for batch in try data.batches(size: 3, shuffleSeed: 5) {
            XCTAssertEqual(try batch.weights?.array(of: Float.self), batch.indices.map { Float($0) / 2 })
        }
        XCTAssertEqual(Batch(data).weights, data.weights)
        XCTAssertNil(Batch(plain).weights)
    }

    /// n / (classes that have samples · samples of the class).
    func testBalancedClassWeights() throws {
        func data(_ labels: [Int32], _ names: [String] = [], shape: [Int]? = nil) throws -> Dataset {
            let targets = try Tensor(labels, shape: shape ?? [labels.count])
            return try Dataset(inputs: Tensor.zeros(.f32, shape: [targets.shape[0], 1]), targets: targets, classNames: names)
        }
        XCTAssertEqual(try data([0, 0, 0, 1]).balancedClassWeights(), [4 / 6, 2])
        XCTAssertEqual(try data([0, 3, 0, 0], ["a", "b", "c", "d"]).balancedClassWeights(), [4 / 6, 1, 1, 2])
        XCTAssertEqual(try data([1, -1, 1, 0], shape: [2, 2]).balancedClassWeights(classes: 3, ignoring: -1), [1.5, 0.75, 1])
        XCTAssertEqual(try data([1, 0]).balancedClassWeights(target: "target"), [1, 1])
        XCTAssertFails(.invalidArgument, "no target 'y', wanted one of [\"target\"]") {
            try data([1]).balancedClassWeights(target: "y")
        }
        XCTAssertFails(.invalidArgument, "label 2, wanted 0 ..< 2") { try data([0, 2]).balancedClassWeights(classes: 2) }
        XCTAssertFails(.invalidArgument, "label -1, wanted 0 ..< 2") { try data([1, -1]).balancedClassWeights() }
        XCTAssertFails(.invalidArgument, "wanted 0 ..< 16777216") { try data([.max]).balancedClassWeights() }
        XCTAssertFails(.invalidArgument, "no labels") { try data([-1]).balancedClassWeights(ignoring: -1) }
        XCTAssertFails(.badShape, "wanted class indices") { try data([1]).oneHot(classes: 2).balancedClassWeights() }
    }

    /// The order was computed by a second implementation of SplitMix64 and of the shuffle, in Python.
    func testSplitIsAFunctionOfTheSeed() throws {
        let (training, validation) = try counting(10).split(validation: 0.25, seed: 7)
        XCTAssertEqual(try training.targets[0].tensor.array(of: Int32.self), [0, 5, 7, 4, 8, 3, 9])
        XCTAssertEqual(try validation.targets[0].tensor.array(of: Int32.self), [2, 1, 6])
        XCTAssertEqual(try validation.inputs[0].tensor.array(of: Float.self), [2, 20, 1, 10, 6, 60])
        for fraction in [0, 1, -0.5, .nan, 0.01] {
            XCTAssertFails(.invalidArgument, "10 samples") {
                try self.counting(10).split(validation: fraction, seed: 0)
            }
        }
    }

    func testOrderIsAFunctionOfSeedAndEpoch() throws {
        func order(_ seed: UInt64?, _ epoch: Int) throws -> [Int] {
            try counting(10).batches(size: 3, shuffleSeed: seed, epoch: epoch).flatMap(\.indices)
        }
        XCTAssertEqual(try order(1, 0), [2, 4, 5, 3, 8, 1, 6, 7, 9, 0])
        XCTAssertEqual(try order(1, 1), [2, 4, 7, 6, 9, 8, 0, 3, 1, 5])
        XCTAssertEqual(try order(2, 0), [4, 8, 2, 7, 9, 6, 0, 3, 5, 1])
        XCTAssertEqual(try order(nil, 5), Array(0..<10))
        var random = SampleRandom(.augmentation, seed: 5, epoch: 2, index: 9, step: 1)
        XCTAssertEqual(
            [random.next(), random.next(), random.next()],
            [0xc025_40cf_f27e_d349, 0xc396_074d_767c_ce8d, 0x94eb_8ba8_2d3d_95d7])
    }

    /// χ² with 9 degrees of freedom is below 27.9 with probability 0.999.
    func testShuffleIsUniform() throws {
        var placesOfFirst = Array(repeating: 0, count: 10)
        for epoch in 0..<2000 {
            var random = SampleRandom(.shuffle, seed: 3, epoch: epoch)
            placesOfFirst[random.permutation(10).firstIndex(of: 0)!] += 1
        }
        XCTAssertLessThan(placesOfFirst.reduce(0) { $0 + pow(Double($1) - 200, 2) / 200 }, 27.9)
    }

    func testBatchesCoverEverySampleOnce() throws {
        let batches = try counting(10).batches(size: 4, shuffleSeed: 9)
        XCTAssertEqual(batches.count, 3)
        let all = Array(batches)
        XCTAssertEqual(all.map(\.count), [4, 4, 2])
        XCTAssertEqual(all.map(\.position), [0, 1, 2])
        XCTAssertEqual(all.flatMap(\.indices).sorted(), Array(0..<10))
        for batch in all {
            XCTAssertEqual(try batch.targets[0].tensor.array(of: Int32.self), batch.indices.map { Int32($0) })
            XCTAssertEqual(
                try batch.inputs[0].tensor.array(of: Float.self), batch.indices.flatMap { [Float($0), Float(10 * $0)] })
        }
        XCTAssertEqual(try counting(10).batches(size: 4, dropLast: true).map(\.count), [4, 4])
        XCTAssertEqual(try counting(8).batches(size: 4).map(\.count), [4, 4])
        XCTAssertEqual(try counting(3).batches(size: 4, dropLast: true).map(\.count), [])
    }

    func testResumesAtAnyBatch() throws {
        let data = try counting(23)
        let whole = Array(try data.batches(size: 5, shuffleSeed: 4, epoch: 3))
        for start in 0...5 {
            let rest = Array(try data.batches(size: 5, shuffleSeed: 4, epoch: 3, startingAt: start))
            XCTAssertEqual(rest.map(\.indices), whole.dropFirst(start).map(\.indices))
            XCTAssertEqual(rest.map(\.inputs), whole.dropFirst(start).map(\.inputs))
        }
        XCTAssertEqual(try data.batches(size: 5, shuffleSeed: 4, epoch: 3).batch(at: 2).inputs, whole[2].inputs)
        XCTAssertFails(.invalidArgument, "6", "5") { try data.batches(size: 5, startingAt: 6) }
        XCTAssertFails(.invalidArgument, "5") { try data.batches(size: 5).batch(at: 5) }
        XCTAssertFails(.invalidArgument, "0") { try data.batches(size: 0) }
    }

    func testAbandonedIterationsEnd() throws {
        let batches = try counting(1000).batches(size: 1, shuffleSeed: 1, ahead: 3)
        for _ in 0..<200 {
            var taken = 0
            for _ in batches {
                taken += 1
                if taken == 2 { break }
            }
        }
        XCTAssertEqual(Array(batches).count, 1000)
    }

    func testNormalizationPerChannel() throws {
        let bytes = try Tensor([0, 10, 100, 10, 200, 10] as [UInt8], shape: [3, 1, 1, 2])
        let data = try Dataset(inputs: bytes, targets: .zeros(.i32, shape: [3]))
        let normalization = try data.normalization(scale: 0.1)
        XCTAssertEqual(normalization.mean, [10, 1])
        XCTAssertEqual(normalization.std[0], Float((200.0 / 3).squareRoot()))
        XCTAssertEqual(normalization.std[1], 1, "a channel that never varies is only centred")
        let result = try data.normalized(by: normalization).inputs[0].tensor
        XCTAssertEqual(result.dtype, .f32)
        let edge = Float(1.5.squareRoot())
        for (a, b) in zip(try result.array(of: Float.self), [-edge, 0, 0, 0, edge, 0]) {
            XCTAssertEqual(a, b, accuracy: 1e-6)
        }
        XCTAssertEqual(try data.scaled(by: 2).inputs[0].tensor.array(of: Float.self), [0, 20, 200, 20, 400, 20])
        let standard = try Normalization(of: data.standardized().inputs[0].tensor)
        XCTAssertEqual(standard.mean[0], 0, accuracy: 1e-6)
        XCTAssertEqual(standard.std[0], 1, accuracy: 1e-6)
        XCTAssertFails(.badShape, "3 means", "2") { try data.normalized(by: Normalization(mean: [1, 2, 3])) }
        XCTAssertFails(.invalidArgument, "0.0") { try data.normalized(by: Normalization(std: [1, 0])) }
        XCTAssertFails(.invalidArgument, "no elements") { try Normalization(of: .zeros(.f32, shape: [0, 2])) }
    }

    func testOneHot() throws {
        let data = try counting(3).oneHot(classes: 3)
        XCTAssertEqual(data.targets[0].tensor, try Tensor([1, 0, 0, 0, 1, 0, 0, 0, 1] as [Float], shape: [3, 3]))
        XCTAssertFails(.invalidArgument, "sample 2", "0 to 1") { try self.counting(3).oneHot(classes: 2) }
        XCTAssertFails(.badShape, "f32 [3, 3]") { try data.oneHot(classes: 3) }
    }
}
