import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus

/// Each pass: the operators before and after, and the same answers.
final class PassesTests: XCTestCase {
    func testFoldConstants() throws {
        var f = PassFixture()
        let x = try f.input("x", [3])
        let a = try f.constant("a", [3]), b = try f.constant("b", [1])
        let sum = try f.builder(.add, a, b)
        let root = try f.builder(.sqrt, try f.builder(.abs, sum))
        f.finish(try f.builder(.mul, x, root), sum)
        XCTAssertEqual(f.graph.operations, ["Add", "Abs", "Sqrt", "Mul"])
        XCTAssertEqual(try f.graph.check(foldConstantsPass), 3)
        XCTAssertEqual(f.graph.operations, ["Mul"])
    }

    /// A large result of small operands would swell the file.
    func testFoldConstantsLeavesExpansions() throws {
        var f = PassFixture()
        let x = try f.input("x", [64, 64])
        let wide = try f.builder(ApusGraph.Expand([64, 64]), try f.constant("one", [1, 1]))
        f.finish(try f.builder(.add, x, wide))
        XCTAssertEqual(try f.graph.check(foldConstantsPass), 0)
        XCTAssertEqual(f.graph.operations, ["Expand", "Add"])
    }

    func testRemoveIdentities() throws {
        let f = PassFixture()
        let x = try f.input("x", [2, 6])
        var y = try f.builder(ApusGraph.Reshape([0, 2, 6]), x)
        y = try f.builder(ApusGraph.Transpose([0, 1, 2]), y)
        y = try f.builder(ActivationOperator(.relu), y)
        y = try f.builder(ApusGraph.Slice(axes: [1], starts: [0], ends: [2]), y)
        let mirrored = try f.builder(ApusGraph.Slice(axes: [1], starts: [1], ends: [Int(Int32.min)], steps: [-1]), y)
        f.finish(mirrored, try f.builder(ApusGraph.Cast(.f32), x))
        XCTAssertEqual(f.graph.operations, ["Reshape", "Transpose", "Relu", "Slice", "Slice", "Cast"])
        XCTAssertEqual(try f.graph.check(removeIdentitiesPass), 4)
        XCTAssertEqual(f.graph.operations, ["Relu", "Slice"])
        XCTAssertEqual(f.graph.functions[0].outputs[1].operand, .local(0))
    }

    /// A reshape that is one at the largest batch only is none.
    func testRemoveIdentitiesSeesSymbols() throws {
        let f = PassFixture(batch: 4)
        let x = try f.input("x", [1, 1])
        let y = try f.builder(ApusGraph.Expand([4, 0, 0]), x)
        f.builder.output("y", y, type: TensorType(.f32, [4, 1, 1]))
        f.finish()
        XCTAssertEqual(try removeIdentitiesPass.run(f.graph, ExportOptions()), 0)
    }

    func testMergeDuplicates() throws {
        var f = PassFixture()
        let x = try f.input("x", [5])
        let values = try Tensor((0..<15).map { Float($0) / 8 - 1 }, shape: [5, 3])
        let products = try ["first", "second"].map { name in
            let w = f.constant(name, values)
            return try f.builder(ActivationOperator(.relu), try f.builder(ApusGraph.Dense(hasBias: false), x, w))
        }
        let other = try f.builder(ActivationOperator(.leakyRelu(alpha: 0.1)), products[0])
        let another = try f.builder(ActivationOperator(.leakyRelu(alpha: 0.2)), products[1])
        f.finish(try f.builder(.sub, other, another))
        _ = try f.constant("unused", [2])
        XCTAssertEqual(
            f.graph.operations, ["Dense", "Relu", "Dense", "Relu", "LeakyRelu", "LeakyRelu", "Sub"])
        XCTAssertEqual(try mergeDuplicatesPass.run(f.graph, ExportOptions()), 3, "a constant, Dense, Relu")
        XCTAssertEqual(f.graph.operations, ["Dense", "Relu", "LeakyRelu", "LeakyRelu", "Sub"])
        XCTAssertEqual(f.graph.functions[0].nodes[4].inputs, [.local(3), .local(4)])
        XCTAssertEqual(try f.graph.check(removeUnusedPass), 2)
        XCTAssertEqual(f.graph.constants.map { $0.name }, ["first"])
    }

    func testFoldBatchNormIntoEachProduct() throws {
        var f = PassFixture()
        let x = try f.input("x", [6, 6, 4])
        var y = try f.builder(
            ApusGraph.Conv2D(padding: .same, hasBias: false), x, try f.constant("w", [3, 3, 4, 6]))
        y = try f.builder(ActivationOperator(.relu), try f.batchNorm(y, 6, "norm_1"))
        y = try f.builder(
            ApusGraph.Conv2D(groups: 6), y, try f.constant("depthwise", [3, 3, 1, 6]), try f.constant("b", [6]))
        y = try f.builder(ActivationOperator(.relu), try f.batchNorm(y, 6, "norm_2"))
        y = try f.builder(
            ApusGraph.Conv2DTranspose(strides: 2, groups: 2, hasBias: false), y,
            try f.constant("transposed", [2, 2, 4, 6]))
        y = try f.builder(ActivationOperator(.relu), try f.batchNorm(y, 8, "norm_3"))
        y = try f.builder(ApusGraph.Dense(), y, try f.constant("dense", [8, 5]), try f.constant("bias", [5]))
        f.finish(try f.batchNorm(y, 5, "norm_4"))
        XCTAssertEqual(
            f.graph.operations,
            [
                "Conv2D", "BatchNorm", "Relu", "Conv2D", "BatchNorm", "Relu", "Conv2DTranspose", "BatchNorm", "Relu",
                "Dense", "BatchNorm",
            ])
        XCTAssertEqual(try f.graph.check(foldBatchNormPass, scaled: 1e-5), 4)
        XCTAssertEqual(f.graph.operations, ["Conv2D", "Relu", "Conv2D", "Relu", "Conv2DTranspose", "Relu", "Dense"])
        XCTAssertEqual(f.graph.functions[0].outputs[0].operand, .local(7))
    }

    /// Another reader wants the product as it is; an activation stands between; an input is no constant.
    func testFoldBatchNormLeavesOthers() throws {
        var f = PassFixture()
        let x = try f.input("x", [4])
        let w = try f.constant("w", [4, 4])
        let shared = try f.builder(ApusGraph.Dense(hasBias: false), x, w)
        let active = try f.builder(ApusGraph.Dense(hasBias: false, activation: .relu), x, w)
        f.finish(try f.batchNorm(shared, 4, "a"), shared, try f.batchNorm(active, 4, "b"), try f.batchNorm(x, 4, "c"))
        XCTAssertEqual(try f.graph.check(foldBatchNormPass), 0)
    }

    /// A layer's scale, and batch norms of values that were flattened.
    func testFoldScalesIntoProducts() throws {
        var f = PassFixture()
        let x = try f.input("x", [6, 4])
        var y = try f.builder(ApusGraph.Dense(hasBias: false), x, try f.constant("w", [4, 5]))
        y = try f.batchNorm(try f.builder(ApusGraph.Reshape([-1, 5]), y), 5)
        y = try f.builder(ActivationOperator(.relu), try f.builder(ApusGraph.Reshape([-1, 6, 5]), y))
        y = try f.builder(ApusGraph.Dense(), y, try f.constant("w2", [5, 3]), try f.constant("b2", [3]))
        y = try f.builder(.mul, try f.constant("scale", [1, 1, 3]), y)
        y = try f.builder(ApusGraph.Dense(hasBias: false), y, try f.constant("w3", [3, 2]))
        f.finish(try f.builder(.mul, y, try f.constant("scale3", [2])))
        XCTAssertEqual(try f.graph.check(foldBatchNormPass, scaled: 1e-5), 3)
        XCTAssertEqual(try f.graph.check(mergeReshapesPass), 1)
        XCTAssertEqual(f.graph.operations, ["Dense", "Relu", "Dense", "Dense"])
    }

    /// What is no vector along the channels, or wider than the product.
    func testFoldScalesLeavesOthers() throws {
        for shape in [[6, 1], [1], [2, 1, 1, 5]] {
            var f = PassFixture(batch: 1)
            let y = try f.builder(ApusGraph.Dense(hasBias: false), try f.input("x", [6, 4]), try f.constant("w", [4, 5]))
            f.finish(try f.builder(.mul, y, try f.constant("scale", shape)))
            XCTAssertEqual(try f.graph.check(foldBatchNormPass), 0, "\(shape)")
        }
    }

    func testMergeReshapes() throws {
        let f = PassFixture()
        let x = try f.builder(.abs, try f.input("x", [6, 4]))
        let y = try f.builder(ApusGraph.Reshape([-1, 4, 2]), try f.builder(ApusGraph.Reshape([0, 2, 12]), x))
        f.finish(try f.builder(ApusGraph.Reshape([-1, 24]), y))
        XCTAssertEqual(try f.graph.check(mergeReshapesPass), 2)
        XCTAssertEqual(f.graph.operations, ["Abs", "Reshape"])
    }

    func testFoldTranspose() throws {
        for (shape, permutation) in [([4, 3, 2], [0, 3, 1, 2]), ([2, 3, 4], [0, 2, 3, 1]), ([5, 6], [0, 2, 1])] {
            var f = PassFixture()
            let x = try f.input("x", shape), count = shape.reduce(1, *)
            let moved = try f.builder.node(ApusGraph.Transpose(permutation), [x])[0]
            let flat = try f.builder.node(ApusGraph.Reshape([-1, count]), [moved])[0]
            let dense = ApusGraph.Dense(hasBias: false)
            f.finish(try f.builder.node(dense, [flat, try f.constant("w", [count, 7])], name: "dense")[0])
            XCTAssertEqual(try f.graph.check(foldTransposePass, scaled: 1e-5), 1, "\(permutation)")
            XCTAssertEqual(f.graph.operations, ["Reshape", "Dense"])
        }
    }

    func testFoldTransposeLeavesOthers() throws {
        for (permutation, reads) in [([2, 1, 0], 1), ([0, 2, 1], 2)] {
            var f = PassFixture()
            let x = try f.input("x", [4, 3])
            let moved = try f.builder.node(ApusGraph.Transpose(permutation), [x])[0]
            let flat = try f.builder.node(ApusGraph.Reshape([-1, 12]), [moved])[0]
            let dense = ApusGraph.Dense(hasBias: false)
            let y = try f.builder.node(dense, [flat, try f.constant("w", [12, 7])], name: "dense")[0]
            if reads == 1 { f.finish(y) } else { f.finish(y, moved) }
            XCTAssertEqual(try f.graph.check(foldTransposePass), 0, "\(permutation), \(reads)")
        }
    }

    func testFuseBias() throws {
        var f = PassFixture()
        let x = try f.input("x", [4, 4, 3])
        let y = try f.builder(
            ApusGraph.Conv2D(padding: .same, hasBias: false), x, try f.constant("w", [3, 3, 3, 5]))
        let sum = try f.builder(.add, try f.constant("b", [5]), y)
        // One column, to which the row broadcasts.
        let z = try f.builder(ApusGraph.Dense(hasBias: false), sum, try f.constant("v", [5, 1]))
        let wide = try f.builder(.add, z, try f.constant("row", [6]))
        // The product has a second reader.
        let u = try f.builder(ApusGraph.Dense(hasBias: false), wide, try f.constant("u", [6, 2]))
        f.finish(try f.builder(.add, u, try f.constant("c", [2])), u)
        XCTAssertEqual(f.graph.operations, ["Conv2D", "Add", "Dense", "Add", "Dense", "Add"])
        XCTAssertEqual(try f.graph.check(fuseBiasPass, scaled: 1e-6), 1)
        XCTAssertEqual(f.graph.operations, ["Conv2D", "Dense", "Add", "Dense", "Add"])
        XCTAssertEqual(try f.graph.check(fuseBiasPass), 0)
    }

    func testFuseResidual() throws {
        var f = PassFixture()
        let x = try f.input("x", [4, 4, 3])
        let y = try f.builder(
            ApusGraph.Conv2D(padding: .same, hasBias: false), x, try f.constant("w", [3, 3, 3, 3]))
        let late = try f.builder(.neg, x)
        let sum = try f.builder(.add, y, late)
        // Broadcast: the residual of a product has its shape.
        let z = try f.builder(ApusGraph.Dense(hasBias: false), sum, try f.constant("v", [3, 3]))
        f.finish(try f.builder(.add, z, try f.constant("row", [3])))
        XCTAssertEqual(f.graph.operations, ["Conv2D", "Neg", "Add", "Dense", "Add"])
        XCTAssertEqual(try f.graph.check(fuseResidualPass, scaled: 1e-6), 1)
        XCTAssertEqual(f.graph.operations, ["Neg", "Conv2D+residual", "Dense", "Add"])
    }

    func testFuseActivation() throws {
        for activation in [
            ActivationOperator(.relu), ActivationOperator(.leakyRelu(alpha: 0.3)), ActivationOperator(.sigmoid), ActivationOperator(.geluTanh),
            ActivationOperator(.clip(minimum: -0.5, maximum: 0.25)),
        ] {
            var f = PassFixture()
            let x = try f.input("x", [7])
            let y = try f.builder(ApusGraph.Dense(), x, try f.constant("w", [7, 9]), try f.constant("b", [9]))
            let z = try f.builder(activation, y)
            f.finish(z, try f.builder(ActivationOperator(.tanh), z))
            XCTAssertEqual(f.graph.operations, ["Dense", activation.name, "Tanh"])
            XCTAssertEqual(try f.graph.check(fuseActivationPass, scaled: 1e-6), 1)
            XCTAssertEqual(f.graph.operations, ["Dense+\(activation.activation.name)", "Tanh"])
        }
    }

    func testRemoveUnused() throws {
        var f = PassFixture()
        let x = try f.input("x", [3])
        let dead = try f.builder(.mul, x, try f.constant("lonely", [3]))
        _ = try f.builder(.exp, dead)
        f.finish(try f.builder(.add, x, try f.constant("read", [3])))
        XCTAssertEqual(try f.graph.check(removeUnusedPass), 3)
        XCTAssertEqual(f.graph.operations, ["Add"])
        XCTAssertEqual(f.graph.constants.map { $0.name }, ["read"])
        XCTAssertEqual(f.graph.functions[0].nodes[0].inputs, [.local(0), .constant(0)])
    }

    func testChooseAlgorithms() throws {
        var f = PassFixture()
        let x = try f.input("x", [26, 26, 32])
        let y = try f.builder(ApusGraph.Conv2D(hasBias: false), x, try f.constant("w", [3, 3, 32, 32]))
        f.finish(try f.builder(ApusGraph.Conv2D(strides: 2, hasBias: false), y, try f.constant("v", [3, 3, 32, 4])))
        let exact = ExportOptions(exact: true)
        var algorithms: [ConvolutionAlgorithm] {
            f.graph.functions[0].nodes.map { ($0.op as! ApusGraph.Conv2D).algorithm }
        }
        var layouts: [Layout] { f.graph.constants.map { $0.type.layout } }
        XCTAssertEqual(try chooseAlgorithmsPass.run(f.graph, exact), 0)
        XCTAssertEqual(try chooseAlgorithmsPass.run(f.graph, ExportOptions(weights: .f16)), 0)
        XCTAssertEqual(try f.graph.check(chooseAlgorithmsPass, scaled: 1e-4), 1)
        XCTAssertEqual(algorithms, [.winograd(tile: 4), .direct])
        XCTAssertEqual(try f.graph.check(packWeightsPass), 2)
        XCTAssertEqual(layouts, [.winogradPanels(tile: 4), .convPanels(groups: 1)])
        XCTAssertEqual(try chooseAlgorithmsPass.run(f.graph, ExportOptions()), 0, "stored transforms stay")
        XCTAssertEqual(try f.graph.check(chooseAlgorithmsPass, options: exact, scaled: 1e-4), 1)
        XCTAssertEqual(algorithms, [.direct, .direct])
        XCTAssertEqual(layouts, [.plain, .convPanels(groups: 1)])
    }

    func testPackWeights() throws {
        var f = PassFixture()
        let x = try f.input("x", [5, 5, 3])
        let y = try f.builder(ApusGraph.Conv2D(hasBias: false), x, try f.constant("conv", [3, 3, 3, 4]))
        let w = try f.constant("both", [4, 4])
        let z = try f.builder(ApusGraph.Dense(hasBias: false), y, w)
        f.finish(try f.builder(.add, z, try f.builder(Reduction(.sum, axes: [0]), w)))
        XCTAssertEqual(try f.graph.check(packWeightsPass), 1, "a constant that is also read plain stays")
        XCTAssertEqual(f.graph.constants.map { $0.type.layout }, [.convPanels(groups: 1), .plain])
    }

    func testConvertWeights() throws {
        for (dtype, limit) in [(DType.f16, 2e-3), (.bf16, 2e-2)] {
            var f = PassFixture()
            let x = try f.input("x", [6, 6, 4])
            var y = try f.builder(ApusGraph.Conv2D(), x, try f.constant("w", [3, 3, 4, 8]), try f.constant("b", [8]))
            y = try f.builder(ApusGraph.Conv2D(groups: 8, hasBias: false), y, try f.constant("d", [3, 3, 1, 8]))
            f.finish(try f.builder(ApusGraph.Dense(hasBias: false), y, try f.constant("v", [8, 3])))
            XCTAssertEqual(try convertWeightsPass.run(f.graph, ExportOptions()), 0, "off unless asked for")
            XCTAssertEqual(
                try f.graph.check(convertWeightsPass, options: ExportOptions(weights: dtype), scaled: limit), 3)
            XCTAssertEqual(f.graph.constants.map { $0.type.dtype }, [dtype, .f32, dtype, dtype])
            XCTAssertEqual(
                f.graph.constants.map { $0.type.layout }, [.convPanels(groups: 1), .plain, .plain, .panels])
            // And back: f32 holds every narrow value.
            XCTAssertEqual(try f.graph.check(convertWeightsPass, options: ExportOptions(weights: .f32)), 3)
        }
    }

    func testConvertWeightsRefusesOverflow() throws {
        let f = PassFixture()
        let x = try f.input("x", [1])
        f.finish(
            try f.builder(ApusGraph.Dense(hasBias: false), x, f.constant("w", try Tensor([1e6 as Float], shape: [1, 1]))))
        XCTAssertThrowsError(try convertWeightsPass.run(f.graph, ExportOptions(weights: .f16))) {
            XCTAssertTrue("\($0)".contains("'w' has values beyond the range of f16"), "\($0)")
        }
        XCTAssertEqual(try convertWeightsPass.run(f.graph, ExportOptions(weights: .bf16)), 1)
    }

    /// A residual block as a whole: conv, norm, ReLU, conv, norm, Add, ReLU → two nodes.
    func testResidualBlock() throws {
        var f = PassFixture()
        let x = try f.input("x", [6, 6, 8])
        var y = try f.builder(ApusGraph.Conv2D(padding: .same, hasBias: false), x, try f.constant("u", [3, 3, 8, 8]))
        y = try f.builder(ActivationOperator(.relu), try f.batchNorm(y, 8, "a"))
        y = try f.builder(ApusGraph.Conv2D(padding: .same, hasBias: false), y, try f.constant("v", [3, 3, 8, 8]))
        y = try f.batchNorm(y, 8, "b")
        f.finish(try f.builder(ActivationOperator(.relu), try f.builder(.add, x, y)))
        let before = try f.graph.answers()
        try Export.optimize(f.graph)
        XCTAssertEqual(f.graph.operations, ["Conv2D+ReLU", "Conv2D+residual+ReLU"])
        XCTAssertEqual(f.graph.constants.count, 4)
        for (old, new) in zip(before, try f.graph.answers()) {
            XCTAssertTrue(try Difference.agree(new[0], old[0], relative: 0, scaled: 1e-5))
        }
    }

    /// A function that updates a state keeps the update, and computes the same states.
    func testUpdatesSurvive() throws {
        func make() throws -> Graph {
            var f = PassFixture()
            f.graph.states.append(State("sum", TensorType(.f32, [3]), .other))
            f.graph.states.append(State("copy", TensorType(.f32, [3]), .other))
            let x = try f.input("x", [3])
            let row = try f.builder(Reduction(.sum, axes: [0]), x)
            let unread = try f.builder(.neg, row)
            _ = unread
            let total = try f.builder(.add, f.builder.state(0), row)
            let same = try f.builder(.add, f.builder.state(0), row)
            let identity = try f.builder(ApusGraph.Reshape([3]), f.builder.state(0))
            try f.builder.update(state: 0, to: total)
            try f.builder.update(state: 1, to: identity)
            f.finish(try f.builder(.mul, same, try f.constant("c", [3])))
            return f.graph
        }
        func run(_ graph: Graph) throws -> [Tensor] {
            let session = try Session(try ApusRuntime.Model(graph))
            defer { session.destroy() }
            var results: [Tensor] = []
            for seed in 0..<3 {
                let inputs = try Goldens.randomInputs(
                    of: graph, function: 0, dimensions: graph.maxima, seed: UInt64(seed))
                try session.set(input: 0, inputs[0])
                try session.run()
                results.append(try session.tensor(output: 0))
                for i in 0..<2 {
                    results.append(
                        try Tensor(copying: UnsafeRawBufferPointer(session.state(i)), dtype: .f32, shape: [3]))
                }
            }
            return results
        }
        let plain = try make(), optimized = try Export.optimize(try make())
        XCTAssertEqual(optimized.operations, ["ReduceSum", "Add", "Reshape", "Mul"])
        XCTAssertEqual(try run(optimized), try run(plain))
    }

    func testUnknownPass() throws {
        let f = PassFixture()
        f.finish(try f.builder(ActivationOperator(.relu), try f.input("x", [1])))
        XCTAssertThrowsError(try Export.optimize(f.graph, ExportOptions(disabled: ["fuse-everything"]))) {
            XCTAssertTrue("\($0)".hasPrefix("no pass 'fuse-everything', wanted one of push-transposes, fold-constants"), "\($0)")
        }
    }
}
