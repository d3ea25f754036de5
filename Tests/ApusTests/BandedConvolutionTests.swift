import ApusGraph
import ApusRuntime
import CKernels
import XCTest

/// A depthwise convolution that takes the convolution before into itself, band by band, where what is between them is large.
final class BandedConvolutionTests: XCTestCase {
    private typealias Layer = (op: Conv2D, weights: [Int])

    private let expansion: Layer = (Conv2D(activation: .relu6), [1, 1, 4, 56])
    private let depthwise: Layer = (Conv2D(padding: .same, groups: 56, activation: .relu6), [3, 3, 1, 56])

    private var pairs: [(String, [Layer])] {
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
                (Conv2D(strides: Size2D(2, 1), padding: .same), [3, 3, 4, 112]),
                (Conv2D(strides: 2, padding: .same, groups: 112), [5, 5, 1, 112]),
            ]),
            ("gap between windows", [product, depthwise(2, 3, 1, .valid)]),
            ("padding below", [product, depthwise(3, 1, 1, .explicit(top: 0, left: 2, bottom: 9, right: 0))]),
            ("padding above", [expansion, depthwise(3, 2, 1, .explicit(top: 9, left: 0, bottom: 0, right: 1))]),
            ("dilated", [expansion, depthwise(3, 1, 2, .same)]),
            ("window higher than the image", [expansion, depthwise(3, 1, 40, .same)]),
            ("multiplied channels", [product, (Conv2D(padding: .same, groups: 56), [3, 3, 1, 112])]),
            ("three", [expansion, self.depthwise, depthwise(3, 1, 1, .same)]),
        ]
    }

    /// What is between is in memory as a whole where it is an output too.
    func testBitsAreThoseOfTheWhole() throws {
        for (name, layers) in pairs {
            let inputs = tensors(layers, batch: 2)
            let banded = try Model(try graph(layers, inputs)), whole = try Model(try graph(layers, inputs, outputsAll: true))
            XCTAssertEqual(try plan(banded).steps.filter { $0.takes != .none }.count, 1, name)
            XCTAssertEqual(try plan(whole).steps.filter { $0.takes != .none }.count, 0, name)
            for isa in OperatorRun.instructionSets {
                let wanted = try OperatorRun.run(whole, inputs, isa: isa)[0]
                for threads in [1, 3] {
                    let found = try OperatorRun.run(banded, inputs, isa: isa, threads: threads)[0]
                    XCTAssertEqual(found.bytes, wanted.bytes, "\(name) on \(InstructionSet.name(isa)), \(threads) threads")
                }
            }
        }
    }

    func testTheImageBetweenIsInMemoryByBands() throws {
        let layers = [expansion, depthwise]
        let plan = try plan(try Model(try graph(layers, tensors(layers, batch: 2))))
        let image = 4 * Self.side * Self.side * 56
        XCTAssertLessThan(plan.buffers.map(\.size).reduce(0, +), 3 * image, "of two images of both results")
    }

    func testABatchThatIsASymbol() throws {
        let layers = [expansion, depthwise]
        let model = try Model(try graph(layers, tensors(layers, batch: 3), symbolic: true))
        XCTAssertEqual(try plan(model).steps.filter { $0.takes != .none }.count, 1)
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
        for layers in [[expansion, joining], [expansion, residual]] {
            let plan = try plan(try Model(try graph(layers, tensors(layers, batch: 1))))
            XCTAssertFalse(plan.steps.contains { $0.takes != .none })
        }
        let small = [expansion, depthwise]
        let plan = try plan(try Model(try graph(small, tensors(small, batch: 9, side: 28))))
        XCTAssertFalse(plan.steps.contains { $0.takes != .none }, "small images")
    }

    // MARK: Graphs

    private static let side = 56

    private func plan(_ model: Model) throws -> Plan {
        try Plan(
            model.valid, function: 0,
            PlanOptions(limits: model.graph.dimensions.map { $0.maximum }, isa: CK_ISA_REFERENCE, lanes: 1))
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
        _ layers: [Layer], _ inputs: [TestTensor], outputsAll: Bool = false, symbolic: Bool = false
    ) throws -> Graph {
        let graph = Graph("bands")
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
        builder.output("y0", results.removeLast())
        if outputsAll { for (i, value) in results.dropFirst().enumerated() { builder.output("y\(i + 1)", value) } }
        builder.finish()
        return graph
    }
}
