import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus
@testable import ApusConvert

/// Operators that Apus has not and that are composed of others, against their definition.
final class OnnxComposedTests: XCTestCase {
    private func run(_ f: OnnxFixture, _ inputs: [Tensor], _ sizes: [String: Int] = [:], _ dimensions: [String: ClosedRange<Int>] = [:])
        throws -> Tensor
    {
        let session = try f.session(dimensions)
        defer { session.destroy() }
        return try session.run(sizes, inputs)
    }

    /// Small numbers of which no two neighbours are equal.
    private func values(_ shape: [Int], _ offset: Int = 0) throws -> Tensor {
        try Tensor((0..<shape.reduce(1, *)).map { Float(($0 * 7 + offset) % 11) - 5 }, shape: shape)
    }

    private func expectRefused(_ f: OnnxFixture, _ reason: String, line: UInt = #line) {
        XCTAssertThrowsError(try f.converted(), line: line) { error in
            let found = (error as? OnnxBlocked)?.blocks.first?.reason ?? "\(error)"
            XCTAssertTrue(found.contains(reason), found, line: line)
        }
    }

    // MARK: Integers

    /// The mean of integers is rounded toward zero, and their sum does not leave 64 bits.
    func testReductionsOfIntegers() throws {
        let rows: [[Int32]] = [[-7, -8, -1], [7, 8, 1], [.max, .max, 1], [1, 1, 2]]
        for (op, wanted) in [
            ("ReduceMean", [-5, 5, 1_431_655_765, 1]), ("ReduceL2", [10, 10, 3_037_000_498, 2].map { min($0, Int(Int32.max)) }),
            ("ReduceLogSum", [0, 2, 22, 1]), ("ReduceLogSumExp", [0, 8, Int(Int32.max), 2]),
        ] {
            var f = OnnxFixture()
            f.input("x", [.fixed(4), .fixed(3)], type: 6)
            f.node(op, ["x"], ["y"], ints: ["axes": [1]], int: ["keepdims": 0])
            f.output("y", type: 6)
            let y = try run(f, [try Tensor(rows.flatMap { $0 }, shape: [4, 3])]).array(of: Int32.self).map { Int($0) }
            // The logarithm of a negative number is none.
            XCTAssertEqual(op == "ReduceLogSum" ? Array(y[1...]) : y, op == "ReduceLogSum" ? Array(wanted[1...]) : wanted, op)
        }
    }

    /// Integers of any size are put, and added up, as they are.
    func testScatteringOfIntegers() throws {
        let large = (1 << 62) + 12345
        for (reduction, wanted) in [("none", [large + 1, -5, 2, large]), ("add", [large + 3, -4, 2, large &+ large &+ 3])] {
            var f = OnnxFixture()
            f.operatorSet = 16
            f.input("x", [.fixed(4)], type: 7)
            f.input("u", [.fixed(3)], type: 7)
            f.constant("i", [0, 1, 3])
            f.node("ScatterElements", ["x", "i", "u"], ["y"], text: ["reduction": reduction])
            f.output("y", type: 7)
            let x = [2, 1, 2, large &+ 3].map { Int64($0) }, u = [large + 1, -5, large].map { Int64($0) }
            let y = try run(f, [try Tensor(x, shape: [4]), try Tensor(u, shape: [3])])
            XCTAssertEqual(try y.array(of: Int64.self).map { Int($0) }, wanted, reduction)
            let graph = try f.converted()
            XCTAssertFalse(graph.functions[0].nodes.contains { ($0.op as? Cast)?.dtype == .f64 })
        }
    }

    /// What computes in f64 is told, what only moves it is not.
    func testNodesThatComputeInF64() throws {
        var f = OnnxFixture()
        f.input("x", [.fixed(2), .fixed(2)], type: 6)
        f.input("d", [.fixed(2), .fixed(2)], type: 11)
        f.node("MatMul", ["x", "x"], ["y"])
        f.node("Transpose", ["d"], ["t"])
        f.node("Less", ["t", "d"], ["z"])
        f.output("y", type: 6)
        f.output("z", type: 9)
        let names = try ModelConversion(try f.converted(), ExportOptions()).doubleNodes()
        XCTAssertEqual(names.map { $0.split(separator: "/")[0] }, ["node_y", "node_z"])
        let x = try Tensor([1, 2, 3, 1 << 26].map { Int32($0) }, shape: [2, 2])
        let y = try run(f, [x, try Tensor([Double](repeating: 1, count: 4), shape: [2, 2])]).array(of: Int32.self)
        // The last is 6 + 2⁵², of which 32 bits are left.
        XCTAssertEqual(y, [7, 2 + 2 << 26, 3 + 3 << 26, 6])
    }

    /// NaN of weights is told; of infinity, as masks have it, nothing is.
    func testConstantsWithNaN() throws {
        var f = OnnxFixture()
        f.input("x", [.fixed(2), .fixed(2)])
        f.constant("w", [2, 2], [1, 2, .nan, 4])
        f.constant("mask", [2], [0, -.infinity])
        f.node("MatMul", ["x", "w"], ["y"])
        f.node("Add", ["y", "mask"], ["z"])
        f.output("z")
        XCTAssertEqual(try ModelConversion(try f.converted(), ExportOptions()).constantsWithNaN, ["w"])
    }

    // MARK: Sequences

    func testReverseSequenceOfLengthsThatAnInputGives() throws {
        for timeFirst in [true, false] {
            let shape = timeFirst ? [4, 3, 2] : [3, 4, 2], lengths = [4, 1, 3]
            var f = OnnxFixture()
            f.input("x", [.named(timeFirst ? "t" : "b"), .named(timeFirst ? "b" : "t"), .fixed(2)])
            f.input("l", [.named("b")], type: 7)
            f.node("ReverseSequence", ["x", "l"], ["y"], int: ["time_axis": timeFirst ? 0 : 1, "batch_axis": timeFirst ? 1 : 0])
            f.output("y")
            let x = try values(shape), list = try x.array(of: Float.self)
            func at(_ b: Int, _ t: Int, _ c: Int) -> Float { list[((timeFirst ? t * 3 + b : b * 4 + t) * 2) + c] }
            var wanted: [Float] = []
            for first in 0..<shape[0] {
                for second in 0..<shape[1] {
                    let (t, b) = timeFirst ? (first, second) : (second, first)
                    for c in 0..<2 { wanted.append(at(b, t < lengths[b] ? lengths[b] - 1 - t : t, c)) }
                }
            }
            let y = try run(
                f, [x, try Tensor(lengths.map { Int64($0) }, shape: [3])], ["b": 3, "t": 4], ["b": 1...5, "t": 1...6])
            XCTAssertEqual(try y.array(of: Float.self), wanted)
        }
        var f = OnnxFixture()
        f.input("x", [.fixed(4), .fixed(2)])
        f.constant("l", [1, 5])
        f.node("ReverseSequence", ["x", "l"], ["y"])
        f.output("y")
        expectRefused(f, "a length of 5, wanted 0 ... 4")
    }

    // MARK: Images

    /// Each group by itself gives its channels.
    func testATransposedConvolutionInGroupsOverThreeAxes() throws {
        func model(_ channels: Int, _ groups: Int, _ weights: Tensor) throws -> OnnxFixture {
            var f = OnnxFixture()
            f.input("x", [.fixed(1), .fixed(channels), .fixed(2), .fixed(3), .fixed(2)])
            f.constant("w", weights.shape, try weights.array(of: Float.self))
            f.constant("b", [2 * groups], (0..<2 * groups).map { Float($0) })
            f.node(
                "ConvTranspose", ["x", "w", "b"], ["y"],
                ints: ["strides": [2, 1, 2], "pads": [0, 1, 0, 1, 0, 0], "output_padding": [1, 0, 0]], int: ["group": groups])
            f.output("y")
            return f
        }
        let x = try values([1, 4, 2, 3, 2]), w = try values([4, 2, 2, 2, 1], 3)
        let together = try run(try model(4, 2, w), [x])
        let (pixels, taps) = (try x.array(of: Float.self), try w.array(of: Float.self))
        var wanted: [Float] = []
        for group in 0..<2 {
            let part = try run(
                try model(2, 1, try Tensor(Array(taps[group * 16..<group * 16 + 16]), shape: [2, 2, 2, 2, 1])),
                [try Tensor(Array(pixels[group * 24..<group * 24 + 24]), shape: [1, 2, 2, 3, 2])])
            XCTAssertEqual(part.shape, [1, 2] + together.shape[2...])
            wanted += try part.array(of: Float.self).map { $0 + Float(2 * group) }
        }
        XCTAssertEqual(try together.array(of: Float.self), wanted)
        expectRefused(try model(4, 3, w), "in 3 groups")
    }

    /// As many samples of a bin as it has elements, of a plane that grows evenly: the mean lies in the middle of the bin.
    func testRegionsOfKnownSizes() throws {
        var f = OnnxFixture()
        f.operatorSet = 16
        f.input("x", [.fixed(1), .fixed(1), .fixed(16), .fixed(16)])
        f.constant("r", [2, 4], [2, 4, 10, 8, 1, 1, 4, 14])
        f.constant("i", [0, 0])
        f.node("RoiAlign", ["x", "r", "i"], ["y"], int: ["output_height": 2, "output_width": 2, "sampling_ratio": 0])
        f.output("y")
        let x = try Tensor((0..<256).map { Float($0 % 16 + 100 * ($0 / 16)) }, shape: [1, 1, 16, 16])
        var wanted: [Float] = []
        for region in [(x: 2, y: 4, width: 8, height: 4), (1, 1, 3, 13)] as [(x: Float, y: Float, width: Float, height: Float)] {
            for row in [0.25, 0.75] as [Float] {
                for column in [0.25, 0.75] as [Float] {
                    wanted.append(region.x - 0.5 + column * region.width + 100 * (region.y - 0.5 + row * region.height))
                }
            }
        }
        let y = try run(f, [x]).array(of: Float.self)
        for (found, value) in zip(y, wanted) { XCTAssertEqual(found, value, accuracy: 1e-3) }
        var unknown = OnnxFixture()
        unknown.operatorSet = 16
        unknown.input("x", [.fixed(1), .fixed(1), .fixed(4), .fixed(4)])
        unknown.input("r", [.fixed(1), .fixed(4)])
        unknown.constant("i", [0])
        unknown.node("RoiAlign", ["x", "r", "i"], ["y"])
        unknown.output("y")
        expectRefused(unknown, "sampling_ratio 0: input 1 ('r') is not known at conversion")
    }

    /// No window fits, which ONNX forbids.
    func testWindowsLargerThanWhatTheyLieOver() throws {
        for (op, extents, kernel) in [("MaxPool", [3], [5]), ("AveragePool", [3, 3, 3], [1, 4, 1]), ("LpPool", [2], [3])] {
            var f = OnnxFixture()
            f.input("x", [.fixed(1), .fixed(1)] + extents.map { .fixed($0) })
            f.node(op, ["x"], ["y"], ints: ["kernel_shape": kernel])
            f.output("y")
            expectRefused(f, "a window of \(kernel.max()!) over an extent of \(extents[0]) with padding, wanted at most as much")
        }
    }

    // MARK: Padding

    /// Pads that a size decides: as many as are missing to 8, or as many as there are but one.
    func testPadsThatASizeDecides() throws {
        func model(_ mode: String, toEight: Bool) -> OnnxFixture {
            var f = OnnxFixture()
            f.operatorSet = 19
            f.input("x", [.named("n")])
            f.constant("eight", [8])
            f.constant("one", [1])
            f.constant("zero", [0])
            f.constant("value", [], [-1])
            f.node("Shape", ["x"], ["s"])
            f.node("Sub", toEight ? ["eight", "s"] : ["s", "one"], ["p"])
            f.node("Concat", toEight ? ["zero", "p"] : ["p", "zero"], ["pads"], int: ["axis": 0])
            f.node("Pad", ["x", "pads", "value"], ["y"], text: ["mode": mode])
            f.output("y")
            return f
        }
        for n in [2, 5, 8] {
            let x = (0..<n).map { Float($0) }
            let eight = try run(model("constant", toEight: true), [try Tensor(x)], ["n": n], ["n": 1...8])
            XCTAssertEqual(try eight.array(of: Float.self), x + [Float](repeating: -1, count: 8 - n))
            for (mode, place) in [
                ("constant", { $0 < 0 ? -1 : $0 }), ("reflect", { abs($0) }), ("edge", { max(0, $0) }), ("wrap", { ($0 + n) % n }),
            ] as [(String, (Int) -> Int)] {
                let y = try run(model(mode, toEight: false), [try Tensor(x)], ["n": n], ["n": 2...8])
                XCTAssertEqual(try y.array(of: Float.self), (1 - n..<n).map { Float(place($0)) }, "\(mode) \(n)")
            }
        }
    }
}
