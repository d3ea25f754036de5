import Apus
import ApusGraph
import ApusRuntime
import CKernels
import XCTest

/// What the derived checks of operators do not reach: narrow weights, and attributes that a file may hold.
final class ConvolutionTests: XCTestCase {
    /// f16 and bf16 weights give what their rounded values give in f32, bit for bit.
    func testNarrowWeightsAreTheirValues() throws {
        for groups in [1, 2, 8] {
            let op = Conv2D(padding: .same, groups: groups)
            var random = TestRandom(3)
            let inputs = [[2, 5, 6, 8], [3, 3, 8 / groups, 24], [24]].map { TestInput.real($0).tensor(&random) }
            for dtype in [DType.f16, .bf16] {
                let weights = Constant("w", inputs[1].type, HeapStorage(inputs[1].bytes))
                let layout = op.packedLayout(input: 1, type: inputs[1].type)
                XCTAssertEqual(layout, groups == 8 ? nil : .convPanels(groups: groups))
                let narrow = try Packing.pack(weights, as: layout ?? .plain, dtype)
                XCTAssertEqual(narrow.type.dtype, dtype)

                var rounded = inputs
                let plain = try Packing.pack(weights, as: .plain, dtype)
                rounded[1] = TestTensor(plain.type, bytes: [UInt8](plain.bytes)).converted(to: .f32)
                XCTAssertNotEqual(rounded[1].values, inputs[1].values)

                let model = try Model(try graph(op, inputs, narrow))
                let wide = try Model(try OperatorRun.graph(op, rounded))
                for isa in OperatorRun.instructionSets {
                    XCTAssertEqual(
                        try OperatorRun.run(model, inputs, isa: isa).map { $0.bytes },
                        try OperatorRun.run(wide, rounded, isa: isa).map { $0.bytes },
                        "\(dtype.name) in \(groups) groups on \(InstructionSet.name(isa))")
                }
            }
        }
    }

    private func graph(_ op: ApusGraph.Conv2D, _ inputs: [TestTensor], _ weights: Constant) throws -> Graph {
        let graph = Graph("narrow")
        graph.constants.append(weights)
        let builder = GraphBuilder(graph, function: "predict")
        let x = try builder.input("x0", inputs[0].type), b = try builder.input("x2", inputs[2].type)
        builder.output("y0", try builder(op, x, builder.constant(0), b))
        builder.finish()
        return graph
    }

    // MARK: Winograd

    /// The bits of the reference loop on every instruction set, at every place in a batch; the definition within 1e-4 of
    /// the largest result.
    func testWinogradBitsAndError() throws {
        for (tile, channels) in [(2, 24), (4, 24), (2, 512), (4, 512)] {
            let op = Conv2D(padding: .same, hasResidual: true, activation: .relu, algorithm: .winograd(tile: tile))
            var random = TestRandom(5)
            var inputs = [[2, 9, 10, channels], [3, 3, channels, 20], [20], [2, 9, 10, 20]].map {
                TestInput.real($0, -1...1).tensor(&random)
            }
            for i in [0, 3] {
                let half = inputs[i].values.count / 2
                inputs[i].values.replaceSubrange(half..., with: inputs[i].values[..<half])
            }
            let model = try Model(try OperatorRun.graph(op, inputs))
            let wanted = try OperatorRun.run(model, inputs, isa: CK_ISA_REFERENCE)[0]
            for isa in OperatorRun.instructionSets {
                XCTAssertEqual(
                    try OperatorRun.run(model, inputs, isa: isa, threads: 3)[0].bytes, wanted.bytes,
                    "tile \(tile), \(channels) channels on \(InstructionSet.name(isa))")
            }
            XCTAssertEqual(
                Array(wanted.values[..<(wanted.values.count / 2)]), Array(wanted.values[(wanted.values.count / 2)...]))

            let definition = ConvolutionReference(
                x: inputs[0].shape, w: inputs[1].shape, strides: 1, dilations: 1, padding: .same, groups: 1
            ).output(x: inputs[0], w: inputs[1]).finished(bias: inputs[2], residual: inputs[3]) { max($0, 0) }
            let scale = definition.values.max()!
            for (found, exact) in zip(wanted.values, definition.values) {
                XCTAssertLessThanOrEqual(abs(found - exact), 1e-4 * scale, "tile \(tile), \(channels) channels")
            }
        }
    }

    /// Plain weights made of transformed ones are transformed to the same bytes, whatever was rounded away.
    func testWinogradPanelsAreUnpackedToTheBit() throws {
        let magnitudes: [ClosedRange<Double>] = [-1...1, -0.02...0.02, 0...1e-6, -3e5...3e5]
        for (seed, range) in magnitudes.enumerated() {
            var random = TestRandom(UInt64(seed))
            let plain = TestInput.real([3, 3, 37, 50], range).tensor(&random)
            for tile in [2, 4] {
                let layout = Layout.winogradPanels(tile: tile)
                let packed = try Packing.pack(Constant("w", plain.type, HeapStorage(plain.bytes)), as: layout)
                let again = try Packing.unpack(packed)
                let repacked = try Packing.pack(again, as: layout)
                withExtendedLifetime((packed.storage, repacked.storage)) {
                    XCTAssertTrue(repacked.bytes.elementsEqual(packed.bytes), "\(tile), \(range)")
                }
                let values = withExtendedLifetime(again.storage) { TestTensor(again.type, bytes: [UInt8](again.bytes)).values }
                XCTAssertTrue(zip(values, plain.values).allSatisfy { abs($0 - $1) <= 2e-6 * range.upperBound })
            }
        }
    }

    func testWinogradOutOfItsRangeIsRefused() {
        let four = ConvolutionAlgorithm.winograd(tile: 4), packed = Layout.winogradPanels(tile: 4)
        func op(_ strides: Size2D = 1, _ dilations: Size2D = 1, groups: Int = 1) -> ApusGraph.Conv2D {
            Conv2D(strides: strides, dilations: dilations, groups: groups, hasBias: false, algorithm: four)
        }
        refuses(op(2), [x, w], "strides")
        refuses(op(1, 2), [x, w], "dilations")
        refuses(op(groups: 2), [x, TensorType(.f32, [3, 3, 2, 6])], "groups")
        refuses(op(), [x, TensorType(.f32, [3, 2, 4, 6])], "3 x 3")
        refuses(op(), [x, TensorType(.f32, [3, 3, 4, 6], layout: .convPanels(groups: 1))], "panels")
        refuses(op(), [x, TensorType(.f32, [3, 3, 4, 6], layout: .winogradPanels(tile: 2))], "panels")
        refuses(Conv2D(hasBias: false), [x, TensorType(.f32, [3, 3, 4, 6], layout: packed)], "panels")
        refuses(op(), [x, TensorType(.f16, [3, 3, 4, 6], layout: packed)], "f32")
        for shape in [[3, 3, 4], [1, 3, 4, 6], [4, 4, 4, 6]] as [Shape] {
            XCTAssertThrowsError(try TensorType(.f32, shape, layout: packed).check())
        }
        XCTAssertThrowsError(try TensorType(.f32, [3, 3, 4, 6], layout: .winogradPanels(tile: 3)).check())
    }

    // MARK: Refusals

    private let x = TensorType(.f32, [1, 8, 8, 4]), w = TensorType(.f32, [3, 3, 4, 6])

    private func refuses(
        _ op: Operator, _ inputs: [TensorType], _ wanted: String, file: StaticString = #filePath, line: UInt = #line
    ) {
        XCTAssertThrowsError(try op.checkedOutputTypes(inputs, node: "n"), file: file, line: line) { error in
            XCTAssert("\(error)".contains(wanted), "'\(error)' does not say '\(wanted)'", file: file, line: line)
        }
    }

    func testAttributesOutOfRangeAreRefused() {
        let huge = Int(UInt32.max), plain = Conv2D(hasBias: false)
        for strides in [Size2D(0, 1), Size2D(1, huge), Size2D(huge, huge), Size2D(-1, -1), Size2D(4096, 4096)] {
            refuses(Conv2D(strides: strides, hasBias: false), [x, w], "stride")
            refuses(Conv2DTranspose(strides: strides, hasBias: false), [x, TensorType(.f32, [3, 3, 6, 4])], "stride")
            refuses(MaxPool(kernel: 2, strides: strides), [x], "stride")
        }
        for dilations in [Size2D(0, 1), Size2D(1, huge)] {
            refuses(Conv2D(dilations: dilations, hasBias: false), [x, w], "dilation")
        }
        for groups in [0, -1, 3, huge] { refuses(Conv2D(groups: groups, hasBias: false), [x, w], "groups") }
        for kernel in [Size2D(0, 1), Size2D(1, huge), Size2D(huge, huge)] {
            refuses(AvgPool(kernel: kernel, strides: 1), [x], "kernel")
        }
        let far = Padding.explicit(top: huge, left: huge, bottom: huge, right: huge)
        refuses(Conv2D(padding: far, hasBias: false), [x, w], "padding")
        refuses(MaxPool(kernel: 2, padding: far), [x], "padding")
        refuses(MaxPool(kernel: 2, padding: .explicit(top: 0, left: 2, bottom: 0, right: 0)), [x], "padding")
        refuses(Conv2D(dilations: 4, hasBias: false), [x, w], "window")
        refuses(plain, [TensorType(.f32, [1, Int(Int32.max), 8, 4]), w], "height")
        refuses(plain, [x, TensorType(.f32, [Int(Int32.max), Int(Int32.max), 4, 6])], "window")
        refuses(plain, [TensorType(.f32, [0, 8, 8, 4]), w], "extent 0")
        refuses(plain, [x, TensorType(.f32, [3, 3, 4, 0])], "extent 0")
        refuses(plain, [x, TensorType(.f32, [3, 3, 3, 6])], "channels")
        refuses(Conv2D(groups: 4, hasBias: false), [x, TensorType(.f32, [3, 3, 1, 6])], "multiple")
        let triple = TensorType(.f32, [3, 3, 2, 6], layout: .convPanels(groups: 3))
        refuses(Conv2D(groups: 2, hasBias: false), [x, triple], "panels")
        let depthwise = TensorType(.f32, [3, 3, 1, 8], layout: .convPanels(groups: 4))
        refuses(Conv2D(groups: 4, hasBias: false), [x, depthwise], "packed")
        refuses(plain, [x, TensorType(.f16, [3, 3, 4, 6])], "weights")
        refuses(Conv2D(), [x, w, TensorType(.f32, [5])], "bias")
        refuses(Conv2D(hasBias: false, hasResidual: true), [x, w, x], "residual")
    }

    func testOutputPaddingIsLessThanTheStride() {
        let w = TensorType(.f32, [3, 3, 6, 4])
        refuses(Conv2DTranspose(strides: 2, outputPadding: 2, hasBias: false), [x, w], "output padding")
        refuses(Conv2DTranspose(strides: 2, padding: .same, outputPadding: 1, hasBias: false), [x, w], "output padding")
        refuses(Conv2DTranspose(hasBias: false), [x, TensorType(.f32, [3, 3, 6, 5])], "channels")
        let crop = Padding.explicit(top: 9, left: 9, bottom: 9, right: 9)
        refuses(Conv2DTranspose(padding: crop, hasBias: false), [x, w], "wanted 1 ...")
    }
}
