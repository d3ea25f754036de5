import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus
@testable import ApusConvert

/// Shapes that symbolic dimensions decide where they are least ordinary: one channel, no elements, windows that lap over.
final class OnnxExtentTests: XCTestCase {
    private func counted(_ shape: [Int]) throws -> Tensor {
        try Tensor((0..<shape.reduce(1, *)).map { Float($0) }).reshaped(shape)
    }

    private typealias Case = (sizes: [String: Int], input: [Int], shape: [Int], wanted: [Float])

    /// The model at each of the sizes.
    private func check(
        _ f: OnnxFixture, _ dimensions: [String: ClosedRange<Int>], _ cases: [Case], line: UInt = #line
    ) throws {
        let session = try f.session(dimensions)
        defer { session.destroy() }
        for one in cases {
            let y = try session.run(one.sizes, [try counted(one.input)])
            XCTAssertEqual(y.shape, one.shape, "\(one.sizes)", line: line)
            XCTAssertEqual(try y.array(of: Float.self), one.wanted, "\(one.sizes)", line: line)
        }
    }

    // MARK: Reshapes

    func testBlocksOfOneChannel() throws {
        var f = OnnxFixture()
        f.input("x", [.named("n"), .fixed(4), .named("h"), .named("w")])
        f.node("DepthToSpace", ["x"], ["y"], int: ["blocksize": 2])
        f.output("y")
        let cases = [(2, 3, 5), (1, 1, 1), (3, 4, 2)].map { (n: Int, h: Int, w: Int) -> Case in
            var wanted: [Float] = []
            for place in 0..<n * 4 * h * w {
                let (column, row, image) = (place % (2 * w), place / (2 * w) % (2 * h), place / (4 * h * w))
                let channel = row % 2 * 2 + column % 2
                wanted.append(Float(((image * 4 + channel) * h + row / 2) * w + column / 2))
            }
            return (["n": n, "h": h, "w": w], [n, 4, h, w], [n, 1, 2 * h, 2 * w], wanted)
        }
        try check(f, [:], cases)
    }

    /// A reshape that exchanges two dimensions of equal bounds changes something.
    func testExchangedExtentsStayExchanged() throws {
        var f = OnnxFixture()
        f.input("x", [.named("n"), .named("h"), .named("w")])
        f.constant("order", [0, 2, 1])
        f.node("Shape", ["x"], ["s"])
        f.node("Gather", ["s", "order"], ["t"])
        f.node("Reshape", ["x", "t"], ["u"])
        f.node("ReduceSum", ["u", "axis"], ["y"], int: ["keepdims": 0])
        f.constant("axis", [2])
        f.output("y")
        try check(f, [:], [(["n": 1, "h": 2, "w": 3], [1, 2, 3], [1, 3], [1, 5, 9])])
    }

    /// A value of a lower rank and two symbolic extents is added to a transposed one.
    func testTransposesAreNotPushedOverTwoSymbols() throws {
        var f = OnnxFixture()
        f.input("x", [.fixed(1), .fixed(2), .named("h"), .named("w")])
        f.node("ReduceSum", ["x", "axes"], ["sum"], int: ["keepdims": 0])
        f.constant("axes", [0, 1])
        f.node("Unsqueeze", ["sum", "last"], ["column"])
        f.constant("last", [2])
        f.node("Transpose", ["x"], ["t"], ints: ["perm": [0, 2, 3, 1]])
        f.node("Add", ["t", "column"], ["u"])
        f.node("Transpose", ["u"], ["y"], ints: ["perm": [0, 3, 1, 2]])
        f.output("y")
        try check(f, [:], [(["h": 2, "w": 1], [1, 2, 2, 1], [1, 2, 2, 1], [2, 5, 4, 7])])
    }

    // MARK: No elements

    func testSlicesThatMayBeEmpty() throws {
        var f = OnnxFixture()
        f.input("x", [.named("n"), .named("t")])
        for (name, bounds) in [("late", [1, Int.max]), ("early", [0, -1])] {
            f.constant(name + "/start", [bounds[0]])
            f.constant(name + "/end", [bounds[1]])
            f.node("Slice", ["x", name + "/start", name + "/end", "axis"], [name])
        }
        f.constant("axis", [1])
        f.node("Sub", ["late", "early"], ["y"])
        f.output("y")
        try check(
            f, [:], [(["n": 2, "t": 3], [2, 3], [2, 2], [1, 1, 1, 1]), (["n": 2, "t": 1], [2, 1], [2, 0], [])])
    }

    private func slice(_ shape: [OnnxFixture.Extent], _ start: [Int], _ end: [Int], _ step: [Int]) -> OnnxFixture {
        var f = OnnxFixture()
        f.input("x", shape)
        for (name, values) in [("start", start), ("end", end), ("axes", Array(start.indices)), ("step", step)] {
            f.constant(name, values)
        }
        f.node("Slice", ["x", "start", "end", "axes", "step"], ["y"])
        f.output("y")
        return f
    }

    func testSlices() throws {
        let n = OnnxFixture.Extent.named("n")
        // Every second from the last, of no columns.
        try check(
            slice([n, .fixed(2)], [-1, 2], [-1000, 1000], [-2, 1]), ["n": 1...4],
            [(["n": 4], [4, 2], [2, 0], []), (["n": 1], [1, 2], [1, 0], [])])
        // A start before the first is the first.
        try check(slice([.fixed(1)], [-2], [-2], [-1]), [:], [([:], [1], [1], [0])])
        try check(slice([.fixed(3)], [-2], [-2], [-1]), [:], [([:], [3], [0], [])])
        try check(slice([n], [-3], [3], [1]), ["n": 1...3], [(["n": 3], [3], [3], [0, 1, 2]), (["n": 1], [1], [1], [0])])
    }

    /// Memory is planned for the largest size.
    func testAnOutputThatGrowsAsASizeShrinksIsRefused() throws {
        let f = slice([.named("n")], [-3], [3], [1])
        XCTAssertThrowsError(try f.converted(["n": 1...4])) { error in
            XCTAssertTrue("\(error)".contains("extent of 3, wanted at most the 2") && "\(error)".contains("n=3"), "\(error)")
        }
    }

    func testExpansionsToNothing() throws {
        for (op, list, columns) in [("Expand", [1, 0], 1), ("Tile", [1, 0], 3)] {
            var f = OnnxFixture()
            f.input("x", [.named("n"), .fixed(columns)])
            f.constant("list", list)
            f.node(op, ["x", "list"], ["y"])
            f.output("y")
            try check(f, ["n": 1...4], [(["n": 2], [2, columns], [2, 0], []), (["n": 4], [4, columns], [4, 0], [])])
        }
    }

    /// What a negative pad takes beyond the other end is missing there.
    func testNegativePads() throws {
        for (extent, pads, wanted) in [(0, [-1, 2], 1), (1, [-3, 3], 1), (2, [3, -4], 1), (2, [-1, 1], 2)] {
            var f = OnnxFixture()
            f.input("x", [.fixed(extent)])
            f.constant("pads", pads)
            f.node("Pad", ["x", "pads"], ["y"])
            f.output("y")
            let values = (0..<wanted).map { Float((0..<extent).contains($0 - pads[0]) ? $0 - pads[0] : 0) }
            try check(f, [:], [([:], [extent], [wanted], values)])
        }
    }

    // MARK: Windows

    func testPoolsOfAnySize() throws {
        func pooled(_ n: Int, _ kernel: Int, _ stride: Int, _ dilation: Int, ceils: Bool, average: Bool) -> [Float] {
            let span = (kernel - 1) * dilation + 1
            let count = (n - span + (ceils ? stride - 1 : 0)) / stride + 1
            return (0..<count).map { window in
                let seen = (0..<kernel).map { window * stride + $0 * dilation }.filter { $0 < n }.map { Float($0) }
                return average ? seen.reduce(0, +) / Float(seen.count) : seen.max()!
            }
        }
        for op in ["MaxPool", "AveragePool"] {
            for (kernel, stride, dilation, ceils) in [(3, 2, 1, true), (2, 2, 1, true), (2, 1, 2, false), (2, 2, 2, false)] {
                var f = OnnxFixture()
                f.operatorSet = 19
                f.input("x", [.fixed(1), .fixed(1), .named("n"), .fixed(1)])
                f.node(
                    op, ["x"], ["y"],
                    ints: ["kernel_shape": [kernel, 1], "strides": [stride, 1], "dilations": [dilation, 1]],
                    int: ["ceil_mode": ceils ? 1 : 0])
                f.output("y")
                try check(f, ["n": 4...20], [20, 4, 5, 6, 7, 11].map { n in
                    let wanted = pooled(n, kernel, stride, dilation, ceils: ceils, average: op == "AveragePool")
                    return (["n": n], [1, 1, n, 1], [1, 1, wanted.count, 1], wanted)
                })
            }
        }
    }

    /// The place of a single output is 0 in pytorch_half_pixel, whatever the scale.
    func testAResizeToOne() throws {
        for mode in ["linear", "cubic"] {
            var f = OnnxFixture()
            f.input("x", [.fixed(3)])
            f.constant("s", [1], [0.5])
            f.node("Resize", ["x", "", "s"], ["y"], text: ["mode": mode, "coordinate_transformation_mode": "pytorch_half_pixel"])
            f.output("y")
            try check(f, [:], [([:], [3], [1], [0])])
        }
    }

    // MARK: Loops

    /// A loop that carries nothing from round to round.
    func testALoopOfScannedValuesAlone() throws {
        var body = OnnxFixture()
        body.input("i", [], type: 7)
        body.input("goes", [], type: 9)
        body.node("Identity", ["goes"], ["goes_on"])
        body.node("Gather", ["x", "i"], ["row"])
        body.output("goes_on", type: 9)
        body.output("row")
        var f = OnnxFixture()
        f.input("x", [.fixed(3), .fixed(2)])
        f.constant("rounds", [2])
        f.node("Loop", ["rounds"], ["y"], body: body)
        f.output("y")
        try check(f, [:], [([:], [3, 2], [2, 2], [0, 1, 2, 3])])
    }
}
