import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus
@testable import ApusConvert

/// Integer operators whose results are known by hand.
final class OnnxIntegerTests: XCTestCase {
    /// A bias of QGemm is in units of alpha · a_scale · b_scale.
    func testAlphaScalesTheBiasOfQGemm() throws {
        for (alpha, wanted) in [(Float(0.5), [Float(13.375), 26.25]), (1, [26.75, 52.5]), (2, [53.5, 105])] {
            var f = OnnxFixture()
            f.domains = ["com.microsoft"]
            f.input("x", [.fixed(1), .fixed(2)], type: 2)
            f.constant("s", [], [0.5])
            f.codes("x/zero", [], [0], type: 2)
            f.codes("w/zero", [], [0])
            f.codes("w", [2, 2], [1, 2, 3, 4])
            f.codes("b", [2], [100, 200], type: 6)
            f.node(
                "QGemm", ["x", "s", "x/zero", "w", "s", "w/zero", "b"], ["y"], float: ["alpha": alpha], domain: "com.microsoft")
            f.output("y")
            let session = try f.session()
            defer { session.destroy() }
            let x = try Tensor([UInt8(1), 2]).reshaped([1, 2])
            XCTAssertEqual(try session.run([:], [x]).array(of: Float.self), wanted, "alpha \(alpha)")
        }
    }

    /// A product and its bias are summed as integers as long as they cannot leave 32 bits, and else as real numbers.
    func testABiasThatLeaves32BitsIsReal() throws {
        for (bias, zero, isInteger) in [
            (1 << 31 - 1, 0, false), (1 << 31 - 1 - 256, 0, true), (1 << 31 - 256, 0, false), (256 - 1 << 31, 0, false),
            (1 << 31 - 1 - 510, -128, true), (1 << 31 - 510, -128, false), (-(1 << 31), 0, false),
        ] {
            for op in ["Gemm", "MatMul"] {
                var f = OnnxFixture()
                f.input("x", [.fixed(1), .fixed(2)])
                f.constant("s", [], [1])
                f.constant("t", [], [2e7])
                f.codes("z", [], [zero])
                f.codes("w", [2, 1], [1, -1])
                f.codes("b", [1], [bias], type: 6)
                f.node("QuantizeLinear", ["x", "s", "z"], ["q"])
                f.node("DequantizeLinear", ["q", "s", "z"], ["d"])
                f.node("DequantizeLinear", ["w", "s"], ["w/real"])
                f.node("DequantizeLinear", ["b", "s"], ["b/real"])
                if op == "Gemm" {
                    f.node("Gemm", ["d", "w/real", "b/real"], ["g"])
                } else {
                    f.node("MatMul", ["d", "w/real"], ["p"])
                    f.node("Add", ["p", "b/real"], ["g"])
                }
                f.node("QuantizeLinear", ["g", "t", "z"], ["o"])
                f.node("DequantizeLinear", ["o", "t", "z"], ["y"])
                f.output("y")
                let graph = try f.converted(), name = "\(op) \(bias) \(zero)"
                // Where it is not, a Gemm is real, and a MatMul's bias is added to real numbers.
                let isOne = graph.operations == ["Quantize", "QuantizedDense", "Dequantize"]
                XCTAssertEqual(isOne, isInteger, "\(name): \(graph.operations)")
                let session = try Session(try Model(graph))
                defer { session.destroy() }
                // Codes as far from their zero point as they can be, both ways.
                for x in [[Float(127 - zero), Float(-128 - zero)], [Float(-128 - zero), Float(127 - zero)]] {
                    let code = ((Double(x[0] - x[1]) + Double(bias)) / 2e7).rounded(.toNearestOrEven) + Double(zero)
                    let wanted = Float(min(max(code, -128), 127) - Double(zero)) * 2e7
                    let y = try session.run([:], [try Tensor(x).reshaped([1, 2])]).array(of: Float.self)
                    XCTAssertEqual(y, [wanted], name)
                }
            }
        }
    }

    /// Of zeros alone the scale is 1, as in ONNX Runtime, so that what is divided by it stays a number.
    func testDynamicCodesOfZeros() throws {
        for (output, wanted) in [("s", [Float(1)]), ("r", [0, 0])] {
            var f = OnnxFixture()
            f.input("x", [.fixed(2)])
            f.node("DynamicQuantizeLinear", ["x"], ["y", "s", "z"])
            f.node("Div", ["x", "s"], ["r"])
            f.output(output)
            let session = try f.session()
            defer { session.destroy() }
            XCTAssertEqual(try session.run([:], [try Tensor([Float(0), 0])]).array(of: Float.self), wanted)
        }
        var f = OnnxFixture()
        f.input("x", [.fixed(2)])
        f.node("DynamicQuantizeLinear", ["x"], ["y", "s", "z"])
        f.output("y", type: 2)
        let session = try f.session()
        defer { session.destroy() }
        XCTAssertEqual(try session.run([:], [try Tensor([Float(0), 0])]).array(of: UInt8.self), [0, 0])
        XCTAssertEqual(try session.run([:], [try Tensor([Float(-1), 4])]).array(of: UInt8.self), [0, 255])
    }

    func testDynamicProductsWithoutColumns() throws {
        var f = OnnxFixture()
        f.input("x", [.fixed(1), .fixed(2)])
        f.codes("w", [2, 0], [])
        f.codes("w/zero", [], [0])
        f.node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"])
        f.node("MatMulInteger", ["q", "w", "z", "w/zero"], ["sums"])
        f.node("Cast", ["sums"], ["reals"], int: ["to": 1])
        f.node("Mul", ["reals", "s"], ["y"])
        f.output("y")
        let session = try f.session()
        defer { session.destroy() }
        XCTAssertEqual(try session.run([:], [try Tensor([Float(1), 2], shape: [1, 2])]).shape, [1, 0])
    }

    func testDynamicQuantizeLSTMIsRefusedByItsWeights() throws {
        for (w, r, reason) in [([1, 3, 0], [1, 0, 0], "[1, 0, 0]"), ([1, 3, 7], [1, 2, 8], "[1, 3, 7]"), ([3, 8], [2, 8], "[directions, K, 32]")] {
            var f = OnnxFixture()
            f.domains = ["com.microsoft"]
            f.input("x", [.fixed(4), .fixed(1), .fixed(3)])
            f.codes("w", w, [Int](repeating: 1, count: w.reduce(1, *)))
            f.codes("r", r, [Int](repeating: 1, count: r.reduce(1, *)))
            f.constant("s", [1], [0.1])
            f.codes("zero", [1], [0])
            f.node(
                "DynamicQuantizeLSTM", ["x", "w", "r", "", "", "", "", "", "s", "zero", "s", "zero"], ["y"], int: ["hidden_size": r[1]],
                domain: "com.microsoft")
            f.output("y")
            XCTAssertThrowsError(try f.session()) { XCTAssertTrue("\($0)".contains(reason), "\($0)") }
        }
    }
}
