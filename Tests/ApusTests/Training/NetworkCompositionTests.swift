import XCTest

@testable import Apus

/// Networks as parts of others.
final class NetworkCompositionTests: XCTestCase {
    private let loss = SparseCategoricalCrossEntropy(fromLogits: true)

    private func trained() throws -> Network {
        let network = try Sequential(input: [8, 8, 1], seed: 3) {
            Conv2D(4, kernel: 3)
            BatchNorm()
            ReLU()
            Flatten()
            Dense(4)
        }
        try Trainer(network, loss: loss, optimizer: Adam(), batchSize: 8).fit(SmallTraining.quarters(40), epochs: 2)
        return network
    }

    /// Another head on a layer of a trained network: its values come along, of which those that are trained change; it stays as it was.
    func testFeaturesWithAnotherHead() throws {
        let base = try trained(), before = base.parameters.all.map(\.value)
        let features = try Network(inputs: base.inputs, outputs: [try base.output(of: "flatten")])
        try features.parameters.take(from: base.parameters)
        try features.parameters.setTrainable(false, layer: "conv2d")
        let x = Input([8, 8, 1]), flat = try features(x)
        let network = try Network(inputs: [x], outputs: [flat, Dense(3, name: "head")(flat)], outputNames: ["flat", "scores"])
        let data = try SmallTraining.quarters(40), images = data.inputs[0].tensor
        let found = try network.predict([images])
        XCTAssertEqual(found[0], try features.predict(images))
        XCTAssertEqual(found[1].shape, [40, 3])

        try Trainer(network, losses: [MSE(), MSE()], optimizer: SGD(), batchSize: 8).fit(
            try Dataset(
                inputs: [NamedTensor("input", images)],
                targets: [NamedTensor("flat", found[0]), NamedTensor("scores", try Filled(1).tensor([40, 3]))]), epochs: 1)
        for (name, changes) in [("conv2d/kernel", false), ("conv2d/bias", false), ("batchnorm/gamma", true)] {
            XCTAssertEqual(network.parameters[name] != base.parameters[name], changes, name)
        }
        XCTAssertEqual(base.parameters.all.map(\.value), before)
    }

    /// Called twice a network shares its weights; of two networks, each keeps its own, under another name where both have it.
    func testTwins() throws {
        let left = try trained(), right = try Sequential(input: [8, 8, 1], seed: 9) {
            Flatten()
            Dense(4)
        }
        let a = Input([8, 8, 1], name: "a"), b = Input([8, 8, 1], name: "b")
        let network = try Network(
            inputs: [a, b], outputs: [try left(a), try left(b), try right(b)], outputNames: ["a", "b", "right"])
        XCTAssertEqual(network.parameters.all.count, left.parameters.all.count + right.parameters.all.count)
        XCTAssertEqual(network.name(of: right.layers.last!), "dense_1")
        let data = try SmallTraining.quarters(16), images = data.inputs[0].tensor, turned = try images.rows((0..<16).reversed())
        let found = try network.predict([images, turned])
        XCTAssertEqual(found, [try left.predict(images), try left.predict(turned), try right.predict(turned)])
    }

    /// A layer that is called by itself before its network is brings that network's values too.
    func testALayerOfAPartCalledBefore() throws {
        let part = try trained(), dense = part.layers.last!, a = Input([144], name: "a"), b = Input([8, 8, 1], name: "b")
        let network = try Network(inputs: [a, b], outputs: [dense(a), try part(b)])
        XCTAssertEqual(network.parameters["dense/kernel"], part.parameters["dense/kernel"])
    }

    func testRefusals() throws {
        let network = try trained(), x = Input([8, 8, 1])
        XCTAssertFails(.invalidArgument, "network 'model' called with 2 inputs, wanted 1") { try network(x, x) }
        XCTAssertFails(.invalidArgument, "no layer 'dense_7' in network 'model'") { try network.output(of: "dense_7") }
        let two = try Network(inputs: network.inputs, outputs: [network.outputs[0], try network.output(of: "flatten")])
        XCTAssertFails(.invalidArgument, "network 'model' of 2 outputs called for one, wanted apply") { try two(x) }
        let wide = Input([9, 9, 1])
        XCTAssertFails(.badShape, "dense/kernel") { try Network(inputs: [wide], outputs: [try network(wide)]) }
    }
}
