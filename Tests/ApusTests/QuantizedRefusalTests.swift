import ApusGraph
import XCTest

/// What the shape rules of integer operators refuse.
final class QuantizedRefusalTests: XCTestCase {
    private let codes = CodeScale(scale: 0.1, zeroPoint: 3)
    private func x(_ extents: Int...) -> TensorType { codes.type(Shape(extents)) }
    private func i8(_ extents: Int...) -> TensorType { TensorType(.i8, Shape(extents)) }
    private func f32(_ extents: Int...) -> TensorType { TensorType(.f32, Shape(extents)) }
    private func i32(_ extents: Int...) -> TensorType { TensorType(.i32, Shape(extents)) }

    private func refuse(
        _ op: Operator, _ inputs: TensorType..., because reason: String, file: StaticString = #filePath, line: UInt = #line
    ) {
        do {
            let types = try op.checkedOutputTypes(inputs, node: "n")
            XCTFail("\(op.name) gives \(types), wanted an error with '\(reason)'", file: file, line: line)
        } catch {
            XCTAssert(error.message.contains(reason), error.message, file: file, line: line)
            XCTAssertFalse(error.message.contains("\n"), error.message, file: file, line: line)
        }
    }

    func testOutputScales() {
        let scales: [(Float, String)] = [
            (0, "scale 0.0, wanted a positive finite number"), (-1, "scale -1.0"), (.nan, "scale nan"),
            (.infinity, "scale inf"), (-.infinity, "scale -inf"), (Float(1e300), "scale inf"),
        ]
        for (scale, reason) in scales {
            let to = CodeScale(scale: scale)
            refuse(Quantize(to: to), f32(2), because: reason)
            refuse(QuantizedAdd(output: to), x(2), x(2), because: reason)
            refuse(QuantizedMul(output: to), x(2), x(2), because: reason)
            refuse(Lookup(output: to), x(2), i8(256), because: reason)
            refuse(QuantizedDense(output: to), x(2, 3), i8(3, 4), i32(4), f32(4), because: reason)
            refuse(QuantizedConv2D(output: to), x(1, 3, 3, 2), i8(1, 1, 2, 4), i32(4), f32(4), because: reason)
            refuse(QuantizedAvgPool(kernel: 2, output: to), x(1, 4, 4, 2), because: reason)
        }
        for zero in [-129, 128, Int32.max, .min] {
            refuse(Quantize(to: CodeScale(scale: 1, zeroPoint: zero)), f32(2), because: "zero point \(zero), wanted -128 ... 127")
        }
    }

    func testInputsThatAreNoCodes() {
        let wanted = "wanted i8 quantized by one scale"
        let columns = Quantization(granularity: .perChannel(axis: 0), scales: [1, 1])
        let none = Quantization(scales: [])
        for type in [f32(2, 3), i8(2, 3), i32(2, 3), TensorType(.i8, [2, 3], quantization: columns),
            TensorType(.u8, [2, 3], quantization: codes.quantization), TensorType(.i8, [2, 3], quantization: none)]
        {
            refuse(Dequantize(), type, because: wanted)
            refuse(Lookup(output: codes), type, i8(256), because: wanted)
            refuse(QuantizedAdd(output: codes), x(2, 3), type, because: wanted)
            refuse(QuantizedMul(output: codes), type, x(2, 3), because: wanted)
            refuse(QuantizedSoftmax(), type, i32(256), because: wanted)
            refuse(QuantizedDense(output: codes), type, i8(3, 4), i32(4), f32(4), because: wanted)
        }
        refuse(Quantize(to: codes), x(2), because: "quantized, wanted real numbers")
        refuse(Quantize(to: codes), TensorType(.f64, [2]), because: "f64, wanted f32")
        refuse(.add, x(2), x(2), because: "quantized, wanted real numbers")
        refuse(Cast(.f32), x(2), because: "quantized, wanted real numbers")
    }

    func testProducts() {
        let dense = QuantizedDense(output: codes)
        refuse(dense, x(2, 3), i8(4, 4), i32(4), f32(4), because: "3 features, wanted 4")
        refuse(dense, x(2, 3), f32(3, 4), i32(4), f32(4), because: "W of type f32, wanted i8")
        refuse(dense, x(2, 3), i8(3, 4), i32(5), f32(4), because: "biases i32[5], wanted i32[4]")
        refuse(dense, x(2, 3), i8(3, 4), i32(4), f32(3), because: "multipliers f32[3], wanted f32[4]")
        refuse(dense, x(2, 3), i8(3, 4), f32(4), f32(4), because: "biases f32[4], wanted i32[4]")
        refuse(dense, x(2, 3), i8(3, 4), i32(4), because: "3 inputs, wanted 4")
        refuse(dense, x(2, 65537), i8(65537, 1), i32(1), f32(1), because: "sums of 65537 products, wanted 1 ... 65536")
        refuse(dense, x(2, 0), i8(0, 4), i32(4), f32(4), because: "sums of 0 products")
        refuse(dense, x(2, 3), i8(3, 0), i32(0), f32(0), because: "without a column")
        refuse(dense, x(1 << 16, 1 << 15, 1), i8(1, 1), i32(1), f32(1), because: "2147483648 rows")
        refuse(dense, x(), i8(1, 1), i32(1), f32(1), because: "of rank 0")
        for (low, high) in [(-129, 0), (5, 4), (0, 128), (Int(Int32.min), Int(Int32.max))] {
            let op = QuantizedDense(output: codes, bounds: CodeBounds(low, high))
            refuse(op, x(2, 3), i8(3, 4), i32(4), f32(4), because: "bounds \(low) ... \(high), wanted −128")
            refuse(QuantizedAdd(output: codes, bounds: CodeBounds(low, high)), x(2), x(2), because: "bounds \(low)")
        }
        refuse(
            QuantizedDense(output: nil, hasResidual: true), x(2, 3), i8(3, 4), i32(4), f32(4), x(2, 4),
            because: "residual or bounds on real numbers")
        refuse(
            QuantizedDense(output: codes, hasResidual: true), x(2, 3), i8(3, 4), i32(4), f32(4), x(2, 5),
            because: "residual of shape [2, 5], wanted [2, 4]")
        for layout in [Layout.panels, .convPanels(groups: 1), .convPanels4(groups: 1)] {
            let rank4: Shape = [1, 1, 3, 4]
            let shape: Shape = layout == .panels ? [3, 4] : rank4
            refuse(dense, x(2, 3), TensorType(.i8, shape, layout: layout), i32(4), f32(4), because: "W i8")
        }
        let image = x(1, 3, 3, 4), conv = QuantizedConv2D(groups: 2, output: codes)
        refuse(
            conv, image, TensorType(.i8, [1, 1, 2, 4], layout: .convPanels4(groups: 1)), i32(4), f32(4),
            because: "layout of other weights")
        refuse(conv, image, i8(1, 1, 4, 4), i32(4), f32(4), because: "4 channels, wanted 8")
        refuse(conv, x(3, 3, 4), i8(1, 1, 2, 4), i32(4), f32(4), because: "of rank 3, wanted 4")
        let perTensor = TensorType(.i8, [3, 4], quantization: codes.quantization)
        refuse(dense, x(2, 3), perTensor, i32(4), f32(4), because: "quantized otherwise than along axis 1")
        let skewed = Quantization(granularity: .perChannel(axis: 1), scales: [1, 1, 1, 1], zeroPoints: [0, 0, 7, 0])
        refuse(dense, x(2, 3), TensorType(.i8, [3, 4], quantization: skewed), i32(4), f32(4), because: "zero point 7")
    }

    func testWeightsAlone() {
        let op = WeightOnlyDense(blockSize: 32, hasZeroPoints: true)
        let f16 = { (a: Int, b: Int) in TensorType(.f16, [a, b]) }
        let i4 = TensorType(.i4, [65, 4])
        refuse(op, f32(2, 65), i4, f16(2, 4), i8(3, 4), f32(4), because: "scales f16[2, 4], wanted f16[3, 4]")
        refuse(op, f32(2, 65), i4, f16(3, 4), i8(2, 4), f32(4), because: "zero points i8[2, 4], wanted i8[3, 4]")
        refuse(op, f32(2, 65), i4, f16(3, 4), i8(3, 4), f32(5), because: "bias f32[5], wanted f32[4]")
        refuse(op, f32(2, 64), i4, f16(3, 4), i8(3, 4), f32(4), because: "64 features, wanted 65")
        refuse(op, f32(2, 65), TensorType(.u8, [65, 4]), f16(3, 4), i8(3, 4), f32(4), because: "u8, wanted i8 or i4")
        refuse(op, x(2, 65), i4, f16(3, 4), i8(3, 4), f32(4), because: "quantized, wanted real numbers")
        for size in [1, 31, 33, 256, Int(UInt32.max)] {
            refuse(
                WeightOnlyDense(blockSize: size, hasBias: false), f32(2, 65), i4, f16(3, 4),
                because: "blocks of \(size) rows, wanted 32, 64, 128")
        }
        for (w, block) in [(i8(65, 4), 32), (i4, 0)] {
            refuse(
                WeightOnlyDense(blockSize: block, hasBias: false, dynamicActivations: true), f32(2, 65), w, f16(3, 4),
                because: "W of type \(w.dtype.name), blocks of \(block) rows, wanted i4 in blocks")
        }
        let dynamic = DynamicDense()
        refuse(dynamic, f32(2, 3), i8(3, 4), i32(3), f32(4), f32(4), because: "sums of columns i32[3], wanted i32[4]")
        refuse(dynamic, f32(2, 3), i8(3, 4), i32(4), f32(3), f32(4), because: "scales f32[3], wanted f32[4]")
        refuse(dynamic, f32(2, 65537), i8(65537, 4), i32(4), f32(4), f32(4), because: "wanted 1 ... 65536 rows")
        refuse(
            DynamicDense(hasBias: false, hasResidual: true), f32(2, 3), i8(3, 4), i32(4), f32(4), f32(1, 4),
            because: "residual f32[1, 4], wanted f32[2, 4]")
        refuse(
            WeightOnlyDense(hasBias: false, hasResidual: true), f32(2, 3), i8(3, 4), f16(1, 4), f32(4),
            because: "residual f32[4], wanted f32[2, 4]")
    }

    func testTablesAlone() {
        let f16 = { (a: Int, b: Int) in TensorType(.f16, [a, b]) }, index = TensorType(.i64, [2])
        let op = WeightOnlyGather(blockSize: 32), i4 = TensorType(.i4, [5, 40])
        refuse(op, i4, f16(5, 1), index, because: "scales f16[5, 1], wanted f16[5, 2]")
        refuse(op, TensorType(.i4, [5, 41]), f16(5, 2), index, because: "of 41 columns, wanted 1")
        refuse(op, f32(5, 40), f16(5, 2), index, because: "wanted plain i8 or i4 of rank 2")
        refuse(op, i8(40), f16(5, 2), index, because: "wanted plain i8 or i4 of rank 2")
        refuse(op, x(5, 40), f16(5, 2), index, because: "without a quantization of its own")
        refuse(op, i8(5, 0), f16(5, 0), index, because: "0 columns")
        refuse(op, i4, f16(5, 2), f32(2), because: "indices")
        refuse(WeightOnlyGather(blockSize: 33), i4, f16(5, 2), index, because: "blocks of 33 columns, wanted 32, 64, 128")
    }

    func testMovedCodes() throws {
        let other = CodeScale(scale: 0.1, zeroPoint: 4)
        refuse(Concat(axis: 0), x(2, 3), other.type([2, 3]), because: "of another quantization")
        refuse(Concat(axis: 0), x(2, 3), i8(2, 3), because: "of another quantization")
        refuse(Where(), TensorType(.bool, [2]), x(2), other.type([2]), because: "of another quantization")
        refuse(Pad(before: [1], after: [0], value: 1), x(2), because: "padding value 1.0")
        refuse(Lookup(output: codes), x(2), i8(255), because: "table i8[255], wanted i8[256]")
        refuse(Lookup(output: nil), x(2), i8(256), because: "table i8[256], wanted f32[256]")
        refuse(QuantizedSoftmax(), x(2), f32(256), because: "wanted i32[256]")
        refuse(QuantizedAvgPool(kernel: 5, output: codes), x(1, 3, 3, 1), because: "a window of 5")
        refuse(QuantizedAvgPool(kernel: 2, output: codes), x(3, 3, 1), because: "of rank 3, wanted 4")
        refuse(QuantizedAvgPool(kernel: 0, padding: .same, output: codes), x(1, 3, 3, 1), because: "wanted none")
        let moved: [Operator] = [
            Flatten(), Reshape([-1]), Transpose([1, 0, 3, 2]), Slice(axes: [1], starts: [0], ends: [1]),
            Split(axis: 0, sizes: [1]), Expand([2, 4, 4, 3]), MaxPool(kernel: 2), Pad(before: [0, 1, 1, 0], after: [0, 0, 0, 0]),
        ]
        for op in moved {
            let y = try op.checkedOutputTypes([x(1, 4, 4, 3)], node: "n")
            XCTAssertEqual(y[0].quantization, codes.quantization, op.name)
        }
    }

    func testStatesOfRecurrentLayers() {
        let lstm = Lstm(stateProduct: .dynamic)
        refuse(lstm, f32(1, 2, 17), i8(4, 16), i32(16), f32(16), because: "wanted 4 gates")
        refuse(lstm, f32(1, 2, 16), f32(4, 4, 4), i32(16), f32(16), because: "wanted i8")
        refuse(lstm, f32(1, 2, 16), i8(5, 16), i32(16), f32(16), because: "4 features, wanted 5")
        refuse(lstm, f32(1, 2, 16), i8(4, 15), i32(15), f32(15), because: "wanted 16 columns")
        refuse(lstm, f32(1, 2, 16), i8(4, 16), i32(15), f32(16), because: "sums of columns")
        refuse(lstm, TensorType(.f64, [1, 2, 16]), i8(4, 16), i32(16), f32(16), because: "f64")
        refuse(Lstm(), f32(1, 2, 16), i8(4, 16), because: "R i8[4, 16] of rank 2, wanted 3")
        refuse(
            Gru(resetAfter: false, stateProduct: .weightOnly(blockSize: 7)), f32(1, 2, 12), i8(4, 12), TensorType(.f16, [1, 12]),
            because: "blocks of 7 rows")
        refuse(
            Rnn(activation: .gelu, stateProduct: .dynamic), f32(1, 2, 4), i8(4, 4), i32(4), f32(4),
            because: "GELU after integer weights")
        refuse(
            Lstm(keepsGates: true, stateProduct: .dynamic), f32(1, 2, 16), i8(4, 16), i32(16), f32(16),
            because: "integer weights in training")
    }
}
