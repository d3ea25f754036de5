import XCTest

@testable import Apus

/// Names of layers that several networks use.
final class LayerNamesTests: XCTestCase {
    /// Layers of two networks in a third: each keeps its name where it can, and the two networks stay as they are.
    func testNamesThatNetworksGaveGiveWay() throws {
        let a = Dense(3), b = Dense(3), c = Dense(3), x = Input([3]), y = Input([3])
        let first = try Network(inputs: [x], outputs: [a(x)], seed: 1)
        let second = try Network(inputs: [y], outputs: [c(b(y))], seed: 2)
        let sample = try Tensor([1, 2, 3] as [Float], shape: [1, 3])
        let before = [try first.predict(sample), try second.predict(sample)]
        let d = Dense(2), all = try Network(inputs: [x, y], outputs: [d(Add()(a(x), c(b(y)), b(x)))], seed: 3)
        XCTAssertEqual([a, b, c, d].map { all.name(of: $0) }, ["dense", "dense_2", "dense_1", "dense_3"])
        XCTAssertEqual([a, b, c, d].map(\.name), ["dense", "dense", "dense_1", "dense_3"])
        XCTAssertEqual(second.name(of: b), "dense")
        XCTAssertEqual(
            Set(all.parameters.all.map(\.name)), Set(["", "_1", "_2", "_3"].flatMap { ["dense\($0)/kernel", "dense\($0)/bias"] }))
        XCTAssertEqual(try all.inferenceGraph().functions[0].inputs.map(\.name), ["input", "input_1"])
        XCTAssertEqual(try all.summary().rows.map(\.name), ["dense", "dense_2", "dense_1", "dense_2", "add", "dense_3"])
        XCTAssertEqual([try first.predict(sample), try second.predict(sample)], before)
        XCTAssertEqual(first.parameters.all.count, 2)

        let data = try Dataset(
            inputs: [NamedTensor("input_1", sample), NamedTensor("input", sample)],
            targets: [NamedTensor("output", Tensor([1, 0] as [Float], shape: [1, 2]))])
        let trainer = try Trainer(all, loss: MSE(), optimizer: SGD(), threads: 1)
        let kernel = try all.doubles("dense_2/kernel")
        try trainer.fit(data, epochs: 1)
        XCTAssertNotEqual(try all.doubles("dense_2/kernel"), kernel)
        let folder = try ScratchFolder()
        try all.saveWeights(folder.file("all.apus"))
        let trained = try all.predict([sample, sample])
        try all.set("dense_2/kernel", kernel)
        try all.loadWeights(folder.file("all.apus"))
        XCTAssertEqual(try all.predict([sample, sample]), trained)
    }

    /// A name that the program gave is kept before those that networks gave.
    func testNamesThatTheProgramGaveStay() throws {
        let a = Dense(2), x = Input([2])
        _ = try Network(inputs: [x], outputs: [a(x)])
        let named = Dense(2, name: "dense")
        let both = try Network(inputs: [x], outputs: [named(a(x))])
        XCTAssertEqual([a, named].map { both.name(of: $0) }, ["dense_1", "dense"])
        XCTAssertFails(.invalidArgument, "two layers are named 'dense'") {
            try Network(inputs: [x], outputs: [named(Dense(2, name: "dense")(x))])
        }
    }
}
