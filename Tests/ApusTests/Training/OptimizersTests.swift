import Foundation
import XCTest

@testable import Apus

/// Three steps of every optimizer against Keras' formulas in Double.
final class OptimizersTests: XCTestCase {
    private let x: [[Double]] = [[1, 2, -1], [0.5, -1, 3], [2, 0, 1], [-1, 1.5, 0.25]]
    private let targets: [Double] = [1, -2, 0.5, 3]
    private let start: [Double] = [0.3, -0.8, 0.5]

    /// Of the mean squared error of x·w.
    private func gradient(_ w: [Double]) -> [Double] {
        (0..<3).map { k in
            zip(x, targets).reduce(0) { $0 + 2.0 / 4 * (zip($1.0, w).reduce(0) { $0 + $1.0 * $1.1 } - $1.1) * $1.0[k] }
        }
    }

    /// `update(w, g, slots, rate, step)` changes one weight and its slots; the step is 1 at the first.
    private func check(
        _ optimizer: any Optimizer, slots: [Double] = [], line: UInt = #line,
        clip: ([Double]) -> [Double] = { $0 },
        _ update: (inout Double, Double, inout [Double], Double, Double) -> Void
    ) throws {
        let network = try Sequential(input: [3]) { Dense(1, usesBias: false) }
        try network.set("dense/kernel", start)
        let trainer = try Trainer(network, loss: MSE(), optimizer: optimizer, batchSize: 4, threads: 1)
        var wanted = start, memory = [[Double]](repeating: slots, count: 3)
        for step in 0..<3 {
            try trainer.step(try batch(x.flatMap { $0 }, [4, 3], targets, [4, 1]))
            let g = clip(gradient(wanted)), rate = optimizer.learningRate.rate(atStep: step)
            for k in 0..<3 { update(&wanted[k], g[k], &memory[k], rate, Double(step + 1)) }
            try trainer.updateNetwork()
            assertClose(
                try network.doubles("dense/kernel"), wanted, 2e-6, "\(optimizer.name), step \(step)", line: line)
        }
    }

    func testSGD() throws {
        try check(SGD(learningRate: 0.1)) { w, g, _, rate, _ in w -= rate * g }
        try check(SGD(learningRate: ExponentialDecay(0.1, decay: 0.5, steps: 1))) { w, g, _, rate, _ in w -= rate * g }
        try check(SGD(learningRate: 0.1, momentum: 0.9), slots: [0]) { w, g, v, rate, _ in
            v[0] = 0.9 * v[0] - rate * g
            w += v[0]
        }
        try check(SGD(learningRate: 0.1, momentum: 0.9, nesterov: true), slots: [0]) { w, g, v, rate, _ in
            v[0] = 0.9 * v[0] - rate * g
            w += 0.9 * v[0] - rate * g
        }
    }

    func testRMSprop() throws {
        try check(RMSprop(learningRate: 0.05), slots: [0]) { w, g, v, rate, _ in
            v[0] = 0.9 * v[0] + 0.1 * g * g
            w -= rate * g / (v[0] + 1e-7).squareRoot()
        }
        let heavy = RMSprop(learningRate: 0.05, rho: 0.8, momentum: 0.5)
        try check(heavy, slots: [0, 0]) { w, g, v, rate, _ in
            v[0] = 0.8 * v[0] + 0.2 * g * g
            v[1] = 0.5 * v[1] + rate * g / (v[0] + 1e-7).squareRoot()
            w -= v[1]
        }
    }

    func testAdagrad() throws {
        try check(Adagrad(learningRate: 0.1), slots: [0.1]) { w, g, a, rate, _ in
            a[0] += g * g
            w -= rate * g / (a[0] + 1e-7).squareRoot()
        }
    }

    func testAdam() throws {
        func adam(_ w: inout Double, _ g: Double, _ s: inout [Double], _ rate: Double, _ t: Double) {
            s[0] += (g - s[0]) * (1 - 0.9)
            s[1] += (g * g - s[1]) * (1 - 0.999)
            w -= rate * (1 - pow(0.999, t)).squareRoot() / (1 - pow(0.9, t)) * s[0] / (s[1].squareRoot() + 1e-7)
        }
        try check(Adam(learningRate: 0.05), slots: [0, 0], adam)
        try check(AdamW(learningRate: 0.05, weightDecay: 0.1), slots: [0, 0]) { w, g, s, rate, t in
            w -= w * 0.1 * rate
            adam(&w, g, &s, rate, t)
        }
    }

    func testClipping() throws {
        let rate = 0.1
        try check(SGD(learningRate: rate, clipping: .value(0.7)), clip: { $0.map { min(max($0, -0.7), 0.7) } }) {
            w, g, _, rate, _ in w -= rate * g
        }
        func scaled(_ g: [Double]) -> [Double] {
            let norm = g.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return g.map { $0 * min(1, 0.5 / norm) }
        }
        for clipping in [GradientClipping.norm(0.5), .globalNorm(0.5)] {
            try check(SGD(learningRate: rate, clipping: clipping), clip: scaled) { w, g, _, rate, _ in w -= rate * g }
        }
    }

    /// Two weights with gradients 3 and 4: the global norm is 5, the norms of their own are 3 and 4.
    func testNormsOfAllAndOfEach() throws {
        for (clipping, wanted) in [(GradientClipping.globalNorm(1), [0.6, 0.8]), (.norm(3.5), [3, 3.5])] {
            let a = Input([1]), b = Input([1])
            let left = Dense(1, usesBias: false, kernelInitializer: Filled(0), name: "left")
            let right = Dense(1, usesBias: false, kernelInitializer: Filled(0), name: "right")
            let network = try Network(inputs: [a, b], outputs: [Add()(left(a), right(b))])
            let trainer = try Trainer(
                network, loss: MSE(), optimizer: SGD(learningRate: 1.0, clipping: clipping), batchSize: 1,
                threads: 1)
            // The gradient of (x·w − t)² at w = 0 is −2·t·x.
            let inputs = try [3, 4].map { NamedTensor("x", try Tensor([$0] as [Float], shape: [1, 1])) }
            try trainer.step(
                Batch(
                    position: 0, indices: [0], inputs: inputs,
                    targets: [NamedTensor("t", try Tensor([0.5] as [Float], shape: [1, 1]))]))
            try trainer.updateNetwork()
            assertClose(try network.doubles("left/kernel") + network.doubles("right/kernel"), wanted)
        }
    }

    func testFrozenWeightsStay() throws {
        let network = try Sequential(input: [3]) {
            Dense(2, name: "body")
            Dense(1, name: "head")
        }
        network.parameters.setTrainable(false, prefix: "body/")
        let before = network.parameters.all.map { $0.value }
        let trainer = try Trainer(network, loss: MSE(), optimizer: Adam(), batchSize: 4, threads: 1)
        try trainer.step(try batch(x.flatMap { $0 }, [4, 3], targets, [4, 1]))
        try trainer.updateNetwork()
        for (old, new) in zip(before, network.parameters.all) {
            XCTAssertEqual(old == new.value, new.name.hasPrefix("body/"), new.name)
        }
    }
}
