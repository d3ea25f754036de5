import ApusGraph
import ApusRuntime
import Foundation
import XCTest

@testable import Apus
@testable import ApusConvert

/// Operators whose attributes, constants or unread outputs need care.
final class OnnxOperatorTests: XCTestCase {
    /// Alphas and betas belong to the activations that have one, in their order, and not to places.
    func testAlphasAreThoseOfActivationsThatHaveOne() throws {
        let x: Float = -0.5
        for (names, alphas, betas, wanted) in [
            (["Tanh", "LeakyRelu"], [Float(0.5)], [Float](), [tanhf(x), 0.5 * x]),
            (["LeakyRelu", "Affine"], [0.5, 3], [0.25], [0.5 * x, 3 * x + 0.25]),
            (["Affine", "LeakyRelu"], [0.5, 0.75], [0.25], [0.5 * x + 0.25, 0.75 * x]),
            (["Affine", "Affine"], [2], [], [2 * x, x]),
        ] {
            var f = OnnxFixture()
            f.input("x", [.fixed(1), .fixed(1), .fixed(1)])
            f.constant("W", [2, 1, 1], [1, 1])
            f.constant("R", [2, 1, 1], [0, 0])
            f.node(
                "RNN", ["x", "W", "R"], ["y"], int: ["hidden_size": 1],
                floats: ["activation_alpha": alphas, "activation_beta": betas].filter { !$0.value.isEmpty },
                text: ["direction": "bidirectional"], texts: ["activations": names])
            f.output("y")
            let session = try f.session()
            defer { session.destroy() }
            let y = try session.run([:], [try Tensor([x]).reshaped([1, 1, 1])]).array(of: Float.self)
            XCTAssertEqual(y.count, 2)
            for (found, value) in zip(y, wanted) { XCTAssertEqual(found, value, accuracy: 1e-6, "\(names) \(alphas) \(betas)") }
        }
    }

    func testCompressByAConstant() throws {
        var f = OnnxFixture()
        f.input("x", [.fixed(3), .fixed(2)])
        f.codes("c", [3], [1, 0, 1], type: 9)
        f.node("Compress", ["x", "c"], ["y"], int: ["axis": 0])
        f.output("y")
        let session = try f.session()
        defer { session.destroy() }
        let y = try session.run([:], [try Tensor((0..<6).map { Float($0) }).reshaped([3, 2])])
        XCTAssertEqual(y.shape, [2, 2])
        XCTAssertEqual(try y.array(of: Float.self), [0, 1, 4, 5])
    }

    /// What nothing reads may measure a size.
    func testASizeThatNothingReads() throws {
        for (op, outputs) in [("NonZero", ["y"]), ("Unique", ["y", "i", "j", "k"])] {
            var f = OnnxFixture()
            f.input("x", [.fixed(4)])
            f.node(op, ["x"], outputs)
            f.node("Abs", ["x"], ["z"])
            f.output("z")
            let graph = try f.converted()
            XCTAssertEqual(graph.operations, ["Abs"], op)
            let session = try Session(try Model(graph))
            defer { session.destroy() }
            XCTAssertEqual(try session.run([:], [try Tensor([Float(-1), 0, 2, -3])]).array(of: Float.self), [1, 0, 2, 3])
        }
    }

    /// One index that is known is a slice, which transposes pass.
    func testGatherOfOneIndexIsASlice() throws {
        for (index, first) in [(2, Float(4)), (-1, 4), (0, 0), (-3, 0)] {
            var f = OnnxFixture()
            f.input("x", [.fixed(1), .fixed(3), .fixed(2)])
            f.codes("i", [], [index], type: 6)
            f.node("Gather", ["x", "i"], ["y"], int: ["axis": 1])
            f.output("y")
            XCTAssertEqual(Set(try f.converted().operations), ["Slice", "Reshape"])
            let session = try f.session()
            defer { session.destroy() }
            let y = try session.run([:], [try Tensor((0..<6).map { Float($0) }).reshaped([1, 3, 2])])
            XCTAssertEqual(y.shape, [1, 2])
            XCTAssertEqual(try y.array(of: Float.self), [first, first + 1])
        }
    }

    /// Attention has a scale of f32: one of f64 that is none stays a product.
    func testAScaleOfF64IsNotNarrowed() throws {
        for (divisor, isFused) in [(Float(2), true), (3, false)] {
            var f = OnnxFixture()
            f.input("x", [.fixed(1), .fixed(4), .fixed(6)], type: 11)
            f.constant("one", [], [1])
            f.constant("divisor", [], [divisor])
            for name in ["one", "divisor"] { f.node("Cast", [name], [name + "/double"], int: ["to": 11]) }
            f.node("Div", ["one/double", "divisor/double"], ["scale"])
            f.constant("parts", [1, 4, 2, 3])
            f.constant("whole", [1, 4, 6])
            f.node("Reshape", ["x", "parts"], ["heads"])
            for (name, order) in [("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])] {
                f.node("Transpose", ["heads"], [name], ints: ["perm": order])
            }
            f.node("MatMul", ["q", "k"], ["products"])
            f.node("Mul", ["products", "scale"], ["scores"])
            f.node("Softmax", ["scores"], ["shares"], int: ["axis": 3])
            f.node("MatMul", ["shares", "v"], ["sums"])
            f.node("Transpose", ["sums"], ["turned"], ints: ["perm": [0, 2, 1, 3]])
            f.node("Reshape", ["turned", "whole"], ["y"])
            f.output("y", type: 11)
            let graph = try f.converted()
            XCTAssertEqual(graph.operations.contains("Attention"), isFused, "1 / \(divisor): \(graph.operations)")
        }
    }
    /// To a few units in the last place for small, middling and large results, up to the greatest number.
    func testHyperbolicFunctionsAreExact() throws {
        let small: [Float] = [1e-20, 1e-4, -0.003, 0.1, 0.49, 0.51, -0.9, 0.999], large: [Float] = [1, 1.5, -7, 30, 88.9, -89.3]
        let past: [Float] = [1.000001, 1.0001, 1.3, 9000, 11000, 3e18, 1e38]
        for (op, inputs, function) in [
            ("Sinh", small + large, { Foundation.sinh($0) }), ("Cosh", small + large, { Foundation.cosh($0) }),
            ("Asinh", small + large + past, { Foundation.asinh($0) }), ("Acosh", [1] + past, { Foundation.acosh($0) }),
            ("Atanh", small, { Foundation.atanh($0) }),
        ] as [(String, [Float], (Double) -> Double)] {
            var f = OnnxFixture()
            f.input("x", [.fixed(inputs.count)])
            f.node(op, ["x"], ["y"])
            f.output("y")
            let session = try f.session()
            defer { session.destroy() }
            let y = try session.run([:], [try Tensor(inputs)]).array(of: Float.self)
            for (x, found) in zip(inputs, y) {
                let wanted = function(Double(x))
                XCTAssertEqual(Double(found), wanted, accuracy: 1e-6 * abs(wanted), "\(op)(\(x))")
            }
        }
        for (op, x, wanted) in [
            ("Acosh", Float(0.5), Float.nan), ("Acosh", -1e6, .nan), ("Acosh", .infinity, .infinity), ("Atanh", 1, .infinity),
            ("Atanh", -1, -.infinity), ("Atanh", 2, .nan), ("Asinh", -.infinity, -.infinity), ("Sinh", 0, 0),
            ("Sinh", .nan, .nan), ("Sinh", -.infinity, -.infinity), ("Cosh", .infinity, .infinity), ("Asinh", .nan, .nan),
        ] {
            var f = OnnxFixture()
            f.input("x", [.fixed(1)])
            f.node(op, ["x"], ["y"])
            f.output("y")
            let session = try f.session()
            defer { session.destroy() }
            let y = try session.run([:], [try Tensor([x])]).array(of: Float.self)[0]
            XCTAssertTrue(y == wanted || y.isNaN && wanted.isNaN, "\(op)(\(x)) is \(y), wanted \(wanted)")
        }
    }
}
