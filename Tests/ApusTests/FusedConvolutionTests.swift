import ApusGraph
import ApusRuntime
import CKernels
import XCTest

/// A depthwise convolution that takes the convolution before into itself: what is between them is made line by line.
final class FusedConvolutionTests: XCTestCase {
    private typealias Layer = (op: Conv2D, weights: [Int])

    private let expansion: Layer = (Conv2D(activation: .relu6), [1, 1, 4, 56])
    private let depthwise: Layer = (Conv2D(padding: .same, groups: 56, activation: .relu6), [3, 3, 1, 56])

    private var fused: [(String, [Layer])] {
        func depthwise(_ kernel: Int, _ strides: Size2D, _ dilations: Size2D, _ padding: Padding) -> Layer {
            let op = Conv2D(strides: strides, dilations: dilations, padding: padding, groups: 56, activation: .silu)
            return (op, [kernel, kernel, 1, 56])
        }
        let product: Layer = (Conv2D(activation: .silu), [1, 1, 4, 56])
        return [
            ("expansion", [expansion, self.depthwise]),
            ("product", [product, depthwise(3, 1, 1, .same)]),
            ("product without bias", [(Conv2D(hasBias: false), [1, 1, 4, 56]), depthwise(5, 2, 1, .same)]),
            ("window before", [
                (Conv2D(strides: Size2D(2, 1), padding: .same), [3, 3, 4, 96]),
                (Conv2D(strides: 2, padding: .same, groups: 96), [5, 5, 1, 96]),
            ]),
            ("gap between windows", [product, depthwise(2, 3, 1, .valid)]),
            ("padding below", [product, depthwise(3, 1, 1, .explicit(top: 0, left: 2, bottom: 9, right: 0))]),
            ("padding above", [expansion, depthwise(3, 2, 1, .explicit(top: 9, left: 0, bottom: 0, right: 1))]),
            ("dilated", [expansion, depthwise(3, 1, 2, .same)]),
            ("window higher than the image", [expansion, depthwise(3, 1, 40, .same)]),
            ("large window", [product, depthwise(7, 1, 1, .valid)]),
            ("no padding", [product, depthwise(2, 2, 1, .valid)]),
            ("one channel too many", [
                (Conv2D(activation: .relu), [1, 1, 4, 33]), (Conv2D(padding: .same, groups: 33, hasBias: false), [3, 3, 1, 33]),
            ]),
            ("three", [expansion, self.depthwise, depthwise(3, 1, 1, .same)]),
        ]
    }

    /// What is between is in memory where it is an output too.
    func testBitsAreThoseOfTheWhole() throws {
        for (name, layers) in fused {
            let inputs = tensors(layers, batch: 2)
            let model = try Model(try graph(layers, inputs)), whole = try Model(try graph(layers, inputs, outputsAll: true))
            XCTAssertEqual(try plan(model).steps.filter { $0.takes != .none }.count, expected, name)
            XCTAssertEqual(try plan(whole).steps.filter { $0.takes != .none }.count, 0, name)
            for isa in OperatorRun.instructionSets {
                let wanted = try OperatorRun.run(whole, inputs, isa: isa)[0]
                for threads in [1, 3] {
                    let found = try OperatorRun.run(model, inputs, isa: isa, threads: threads)[0]
                    XCTAssertEqual(found.bytes, wanted.bytes, "\(name) on \(InstructionSet.name(isa)), \(threads) threads")
                }
            }
        }
    }

    func testAPoolMayFollow() throws {
        let layers = [expansion, (Conv2D(strides: 2, padding: .same, groups: 56), [3, 3, 1, 56])], inputs = tensors(layers, batch: 2, side: 50)
        let model = try Model(try graph(layers, inputs, pool: true))
        let whole = try Model(try graph(layers, inputs, outputsAll: true, pool: true))
        XCTAssertEqual(try plan(model).steps.filter { $0.takes != .none }.count, expected)
        for isa in OperatorRun.instructionSets {
            let wanted = try OperatorRun.run(whole, inputs, isa: isa)[0]
            XCTAssertEqual(try OperatorRun.run(model, inputs, isa: isa, threads: 2)[0].bytes, wanted.bytes, InstructionSet.name(isa))
        }
    }

    func testTheImageBetweenIsNotInMemory() throws {
        try XCTSkipIf(expected == 0, "no vector instructions")
        let layers = [expansion, depthwise]
        let inputs = tensors(layers, batch: 2), plan = try plan(try Model(try graph(layers, inputs)))
        let image = 4 * Self.side * Self.side * 56
        let packed = 4 << 10, size = plan.buffers.map(\.size).reduce(0, +)
        XCTAssertLessThan(size, inputs.map(\.bytes.count).reduce(0, +) + 2 * image + packed)
    }

    func testABatchThatIsASymbol() throws {
        let layers = [expansion, depthwise]
        let model = try Model(try graph(layers, tensors(layers, batch: 3), symbolic: true))
        XCTAssertEqual(try plan(model).steps.filter { $0.takes != .none }.count, expected)
        var options = SessionOptions()
        options.threads = 2
        let session = try Session(model, options)
        defer { session.destroy() }
        for batch in [3, 1, 2] {
            let inputs = tensors(layers, batch: batch)
            let wanted = try OperatorRun.run(
                try Model(try graph(layers, inputs, outputsAll: true)), inputs, isa: InstructionSet.selected)[0]
            try session.setDimension("batch", batch)
            for (i, input) in inputs.enumerated() { try input.bytes.withUnsafeBytes { try session.setInput(i, $0) } }
            try session.run()
            var found = [UInt8](repeating: 0xAA, count: wanted.bytes.count)
            try found.withUnsafeMutableBytes { try session.getOutput(0, $0) }
            XCTAssertEqual(found, wanted.bytes, "batch \(batch)")
        }
    }

    func testOthersStayApart() throws {
        let residual: Layer = (Conv2D(padding: .same, groups: 56, hasResidual: true), [3, 3, 1, 56])
        let joining: Layer = (Conv2D(padding: .same), [3, 3, 56, 8])
        let multiplied: Layer = (Conv2D(padding: .same, groups: 56), [3, 3, 1, 112])
        let wide: Layer = (Conv2D(dilations: 60, padding: .same, groups: 56), [3, 3, 1, 56])
        let window: Layer = (Conv2D(padding: .same), [3, 3, 4, 56])
        for layers in [[expansion, joining], [expansion, residual], [expansion, multiplied], [expansion, wide], [window, depthwise]] {
            let plan = try plan(try Model(try graph(layers, tensors(layers, batch: 1))))
            XCTAssertFalse(plan.steps.contains { $0.takes != .none })
        }
        let small = [expansion, depthwise]
        let plan = try plan(try Model(try graph(small, tensors(small, batch: 9, side: 14))))
        XCTAssertFalse(plan.steps.contains { $0.takes != .none }, "small images")
    }

    // MARK: Graphs

    private static let side = 56

    /// How many of two convolutions are one step, on this machine.
    private var expected: Int { InstructionSet.selected == CK_ISA_REFERENCE ? 0 : 1 }

    private func plan(_ model: Model) throws -> Plan {
        try Plan(
            model.valid, function: 0,
            PlanOptions(limits: model.graph.dimensions.map { $0.maximum }, isa: InstructionSet.selected, lanes: 1))
    }

    /// An image, then weights and bias of every layer.
    private func tensors(_ layers: [Layer], batch: Int, side: Int = side) -> [TestTensor] {
        var random = TestRandom(7)
        var shapes: [[Int]] = []
        for layer in layers { shapes += [layer.weights] + (layer.op.hasBias ? [[layer.weights[3]]] : []) }
        let parameters = shapes.map { TestInput.real($0).tensor(&random) }
        return [TestInput.real([batch, side, side, layers[0].weights[2]]).tensor(&random)] + parameters
    }

    /// Layers one after another; one with a residual has its own input for it.
    private func graph(
        _ layers: [Layer], _ inputs: [TestTensor], outputsAll: Bool = false, symbolic: Bool = false, pool: Bool = false
    ) throws -> Graph {
        let graph = Graph("fused")
        if symbolic { graph.dimensions = [SymbolicDimension("batch", 1...3)] }
        let builder = GraphBuilder(graph, function: "predict")
        var values: [Value] = []
        for (i, tensor) in inputs.enumerated() {
            let shape = symbolic && i == 0 ? tensor.type.shape.replacing(0, with: -1) : tensor.type.shape
            values.append(try builder.input("x\(i)", TensorType(.f32, shape)))
        }
        var results = [values[0]], next = 1
        for (op, _) in layers {
            var operands = [results[results.count - 1]] + values[next..<next + (op.hasBias ? 2 : 1)]
            if op.hasResidual { operands.append(results[results.count - 1]) }
            next += op.hasBias ? 2 : 1
            results.append(try builder.node(op, operands)[0])
        }
        if pool { results.append(try builder.node(MaxPool(kernel: 2), [results[results.count - 1]])[0]) }
        builder.output("y0", results.removeLast())
        if outputsAll { for (i, value) in results.dropFirst().enumerated() { builder.output("y\(i + 1)", value) } }
        builder.finish()
        return graph
    }
}
