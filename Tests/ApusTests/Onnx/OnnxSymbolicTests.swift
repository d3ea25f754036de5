import ApusGraph
import ApusRuntime
import Foundation
import XCTest

@testable import Apus
@testable import ApusConvert

/// Models with symbolic dimensions, run at several of their sizes.
final class OnnxSymbolicTests: XCTestCase {
    private func ones(_ shape: Int...) throws -> Tensor {
        try Tensor([Float](repeating: 1, count: shape.reduce(1, *))).reshaped(shape)
    }

    /// Dimensions of equal bounds, however narrow, are told apart.
    func testDimensionsOfEqualBoundsAreNotOne() throws {
        for bounds in [1...2, 1...4, 2...9, 3...40] {
            var f = OnnxFixture()
            f.input("x", [.named("a"), .fixed(3)])
            f.input("y", [.fixed(3), .named("b")])
            f.node("MatMul", ["x", "y"], ["z"])
            f.output("z")
            let session = try f.session(["a": bounds, "b": bounds])
            defer { session.destroy() }
            for (a, b) in [(bounds.lowerBound, bounds.upperBound), (bounds.upperBound, bounds.lowerBound)] {
                XCTAssertEqual(try session.run(["a": a, "b": b], [try ones(a, 3), try ones(3, b)]).shape, [a, b])
            }
        }
    }

    /// An extent made of a dimension is found by the run, whatever the dimension is set to.
    func testAnOutputOfAStridedWindow() throws {
        var f = OnnxFixture()
        f.input("x", [.fixed(1), .fixed(1), .named("t")])
        f.constant("w", [2, 1, 3], [Float](repeating: 1, count: 6))
        f.node("Conv", ["x", "w"], ["y"], ints: ["strides": [2]])
        f.output("y")
        let session = try f.session(["t": 5...64])
        defer { session.destroy() }
        for t in [64, 5, 6, 33, 64] {
            let y = try session.run(["t": t], [try ones(1, 1, t)])
            XCTAssertEqual(y.shape, [1, 2, (t - 3) / 2 + 1])
        }
    }

    func testSamplesToldApart() {
        let dimensions = (0..<12).map { SymbolicDimension("d\($0)", 1...3) }
        let samples = DimensionSamples(dimensions)
        for i in dimensions.indices {
            for j in 0..<i { XCTAssertFalse(samples.values.allSatisfy { $0[i] == $0[j] }, "\(i) \(j)") }
        }
        for bounds in [2...24, 32...64, 50...400] {
            let remainders = Set(DimensionSamples([SymbolicDimension("t", bounds)]).values.map { $0[0] % 4 })
            XCTAssertEqual(remainders, [0, 1, 2, 3])
        }
    }

    /// Elements gathered along an axis of a batch of any size.
    func testGatherElementsOfABatch() throws {
        var f = OnnxFixture()
        f.input("x", [.named("n"), .fixed(3)])
        f.input("i", [.named("n"), .fixed(2)], type: 7)
        f.node("GatherElements", ["x", "i"], ["y"], int: ["axis": 1])
        f.output("y")
        let session = try f.session(["n": 1...4])
        defer { session.destroy() }
        for n in [4, 1, 3] {
            let x = (0..<3 * n).map { Float($0) }
            let i = (0..<2 * n).map { $0 % 3 - ($0 % 2) * 3 }
            let y = try session.run(
                ["n": n], [try Tensor(x).reshaped([n, 3]), try Tensor(i).reshaped([n, 2])])
            let wanted = i.enumerated().map { x[$0 / 2 * 3 + ($1 + 3) % 3] }
            XCTAssertEqual(y, try Tensor(wanted).reshaped([n, 2]))
        }
    }

    /// Slices put into a batch of any size.
    func testScatterNDOfABatch() throws {
        var f = OnnxFixture()
        f.input("x", [.named("n"), .fixed(3)])
        f.constant("places", [0])
        f.constant("columns", [1])
        f.node("Squeeze", ["places"], ["zero"])
        f.node("Squeeze", ["columns"], ["one"])
        f.node("Shape", ["x"], ["shape"])
        f.node("Gather", ["shape", "zero"], ["n"])
        f.node("Range", ["zero", "n", "one"], ["range"])
        f.node("Unsqueeze", ["range", "columns"], ["rows"])
        f.node("Mul", ["rows", "zero"], ["first"])
        f.node("Concat", ["rows", "first"], ["indices"], int: ["axis": 1])
        f.node("ReduceSum", ["x", "columns"], ["sums"], int: ["keepdims": 0])
        f.node("ScatterND", ["x", "indices", "sums"], ["y"])
        f.output("y")
        let session = try f.session(["n": 1...4])
        defer { session.destroy() }
        for n in [4, 1, 3] {
            let wanted = [Float](repeating: 1, count: 3 * n).enumerated().map { $0 % 3 == 0 ? 3 : $1 }
            XCTAssertEqual(try session.run(["n": n], [try ones(n, 3)]), try Tensor(wanted).reshaped([n, 3]))
        }
    }

    /// What two dimensions decide is computed by the nodes it comes from.
    func testAMaskOfTwoDimensions() throws {
        var f = OnnxFixture()
        f.input("x", [.named("t"), .fixed(1)])
        f.input("past", [.named("p"), .fixed(1)])
        f.constant("rows", [0])
        f.constant("columns", [1])
        f.constant("minus", [], [-1])
        f.node("Squeeze", ["rows"], ["zero"])
        f.node("Squeeze", ["columns"], ["one"])
        f.node("Concat", ["past", "x"], ["all"], int: ["axis": 0])
        for (name, value) in [("t", "x"), ("p", "past"), ("s", "all")] {
            f.node("Shape", [value], [name + "/shape"])
            f.node("Gather", [name + "/shape", "zero"], [name])
            f.node("Range", ["zero", name, "one"], [name + "/range"])
        }
        f.node("Add", ["t/range", "p"], ["places"])
        f.node("Unsqueeze", ["places", "columns"], ["i"])
        f.node("Unsqueeze", ["s/range", "rows"], ["j"])
        f.node("Greater", ["j", "i"], ["later"])
        f.node("Transpose", ["all"], ["keys"])
        f.node("MatMul", ["x", "keys"], ["scores"])
        f.node("Where", ["later", "minus", "scores"], ["y"])
        f.output("y")
        let session = try f.session(["t": 1...8, "p": 1...8])
        defer { session.destroy() }
        for (t, p) in [(8, 8), (1, 5), (3, 1)] {
            let wanted = (0..<t * (p + t)).map { Float($0 % (p + t) > $0 / (p + t) + p ? -1 : 1) }
            let y = try session.run(["t": t, "p": p], [try ones(t, 1), try ones(p, 1)])
            XCTAssertEqual(y, try Tensor(wanted).reshaped([t, p + t]))
        }
    }

    /// A signal may leave out the axis of real and imaginary parts.
    func testSTFTOfRankTwo() throws {
        var f = OnnxFixture()
        f.input("x", [.named("n"), .fixed(16)])
        f.constant("step", [4])
        f.constant("window", [8], [Float](repeating: 1, count: 8))
        f.node("Squeeze", ["step"], ["step0"])
        f.node("STFT", ["x", "step0", "window"], ["y"], int: ["onesided": 1])
        f.output("y")
        let session = try f.session(["n": 1...2])
        defer { session.destroy() }
        // The sum of the window, and nothing of any other frequency.
        let y = try session.run(["n": 1], [try ones(1, 16)])
        XCTAssertEqual(y.shape, [1, 3, 5, 2])
        for (i, value) in try y.array(of: Float.self).enumerated() { XCTAssertEqual(value, i % 10 == 0 ? 8 : 0, accuracy: 1e-5, "\(i)") }
    }

    /// A window that does not fit the least size is told with the flag that changes it.
    func testAWindowLargerThanTheLeastSize() throws {
        var f = OnnxFixture()
        f.input("x", [.fixed(1), .fixed(1), .named("t")])
        f.constant("w", [2, 1, 3], [Float](repeating: 1, count: 6))
        f.node("Conv", ["x", "w"], ["y"])
        f.output("y")
        let model = try OnnxReader.read(bytes: f.bytes, folder: URL(fileURLWithPath: "/nonexistent"))
        XCTAssertThrowsError(try Importer.graph(of: model, OnnxOptions()).get()) { error in
            let reason = (error as? OnnxBlocked)?.blocks[0].reason ?? ""
            XCTAssertTrue(reason.contains("t=1") && reason.contains("--dim"), reason)
        }
    }

    // MARK: Images of any size

    private func resize(_ scale: Float?, _ attributes: [String: String]) throws -> Session {
        var f = OnnxFixture()
        f.input("x", [.fixed(1), .named("n")])
        if let scale {
            f.constant("s", [2], [1, scale])
            f.node("Resize", ["x", "", "s"], ["y"], text: attributes)
        } else {
            f.input("z", [.fixed(1), .named("m")])
            f.node("Shape", ["z"], ["s"])
            f.node("Resize", ["x", "", "", "s"], ["y"], text: attributes)
        }
        f.output("y")
        return try f.session(scale == nil ? ["n": 2...24, "m": 1...48] : ["n": 2...24])
    }

    /// x at places, by the two neighbours.
    private func interpolated(_ x: [Float], _ places: [Double]) -> [Float] {
        places.map { place in
            let low = place.rounded(.down), t = Float(place - low)
            let (a, b) = (Int(max(0, low)), min(x.count - 1, Int(low) + 1))
            return x[a] * (1 - t) + x[b] * t
        }
    }

    func testResizeByAScale() throws {
        for (mode, name) in [("nearest", "asymmetric"), ("linear", "half_pixel"), ("linear", "align_corners")] {
            let session = try resize(
                3, ["mode": mode, "coordinate_transformation_mode": name, "nearest_mode": "floor"])
            defer { session.destroy() }
            for n in [24, 2, 7] {
                let x = (0..<n).map { Float($0 * $0 % 11) }
                let places = (0..<3 * n).map { (i: Int) -> Double in
                    if mode == "nearest" { return Double(i / 3) }
                    if name == "half_pixel" { return (Double(i) + 0.5) / 3 - 0.5 }
                    return Double(i * (n - 1)) / Double(3 * n - 1)
                }
                let y = try session.run(["n": n], [try Tensor(x).reshaped([1, n])])
                XCTAssertEqual(y.shape, [1, 3 * n])
                for (a, b) in zip(try y.array(of: Float.self), interpolated(x, places)) {
                    XCTAssertEqual(a, b, accuracy: 1e-4, "\(mode) \(name) \(n)")
                }
            }
        }
    }

    /// Places that are whole numbers stay so, however the sizes divide.
    func testResizeToTheShapeOfAnother() throws {
        for mode in ["nearest", "linear"] {
            let session = try resize(
                nil, ["mode": mode, "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"])
            defer { session.destroy() }
            for (n, m) in [(24, 48), (2, 1), (21, 35), (9, 31), (6, 42)] {
                let x = (0..<n).map { Float($0 * $0 % 11) }
                let places = (0..<m).map { (i: Int) -> Double in
                    mode == "nearest" ? Double(i * n / m) : Double(i * n) / Double(m)
                }
                let y = try session.run(["n": n, "m": m], [try Tensor(x).reshaped([1, n]), try ones(1, m)])
                XCTAssertEqual(y.shape, [1, m])
                for (a, b) in zip(try y.array(of: Float.self), interpolated(x, places)) {
                    XCTAssertEqual(a, b, accuracy: 1e-4, "\(mode) \(n) \(m)")
                }
            }
        }
    }

    func testResizeByAFraction() throws {
        let session = try resize(0.7, ["mode": "linear"])
        defer { session.destroy() }
        for n in 2...24 { XCTAssertEqual(try session.run(["n": n], [try ones(1, n)]).shape, [1, 7 * n / 10]) }
        // 0.7 is a little less as f32.
        var f = OnnxFixture()
        f.input("x", [.fixed(1), .fixed(10)])
        f.constant("s", [2], [1, 0.7])
        f.node("Resize", ["x", "", "s"], ["y"])
        f.output("y")
        let fixed = try f.session([:])
        defer { fixed.destroy() }
        XCTAssertEqual(try fixed.run([:], [try ones(1, 10)]).shape, [1, 7])
    }

    /// Where no value but halves has an extent, it is found by them.
    func testResizeOfHalves() throws {
        var f = OnnxFixture()
        f.input("x", [.fixed(1), .named("n")], type: 10)
        f.constant("s", [2], [1, 2])
        f.node("Resize", ["x", "", "s"], ["y"])
        f.output("y", type: 10)
        let session = try f.session(["n": 1...16])
        defer { session.destroy() }
        for n in [16, 1, 5] {
            XCTAssertEqual(try session.run(["n": n], [try Tensor.zeros(.f16, shape: [1, n])]).shape, [1, 2 * n])
        }
    }

    /// Cubic kernels beyond the border see the edge repeated.
    func testGridSampleOfABatch() throws {
        var f = OnnxFixture()
        f.operatorSet = 20
        f.input("x", [.named("n"), .fixed(1), .fixed(3)])
        f.input("g", [.named("n"), .fixed(2), .fixed(1)])
        f.node("GridSample", ["x", "g"], ["y"], text: ["mode": "cubic", "padding_mode": "border"])
        f.output("y")
        let session = try f.session(["n": 1...4])
        defer { session.destroy() }
        for n in [4, 1, 3] {
            let x = (0..<3 * n).map { Float($0 * $0) }
            // Place 1, the middle, and −1/2.
            let grid = (0..<2 * n).map { -Float($0 % 2) }
            let inputs = [try Tensor(x).reshaped([n, 1, 3]), try Tensor(grid).reshaped([n, 2, 1])]
            let y = try session.run(["n": n], inputs)
            XCTAssertEqual(y.shape, [n, 1, 2])
            let values = try y.array(of: Float.self)
            for i in 0..<n {
                let (first, second) = (x[3 * i], x[3 * i + 1])
                XCTAssertEqual(values[2 * i], second, accuracy: 1e-4)
                XCTAssertEqual(values[2 * i + 1], first + (second - first) * -0.09375, accuracy: 1e-4)
            }
        }
    }
}
