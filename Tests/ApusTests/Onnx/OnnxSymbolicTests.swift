import ApusGraph
import ApusRuntime
import Foundation
import XCTest

@testable import Apus
@testable import ApusConvert

/// Models with symbolic dimensions, run at several of their sizes.
final class OnnxSymbolicTests: XCTestCase {
    private func session(_ f: OnnxFixture, _ dimensions: [String: ClosedRange<Int>]) throws -> Session {
        var options = OnnxOptions()
        options.dimensions = dimensions
        let model = try OnnxReader.read(bytes: f.bytes, folder: URL(fileURLWithPath: "/nonexistent"))
        let conversion = try ModelConversion(try Importer.graph(of: model, options).get(), ExportOptions())
        return try Session(try Model(conversion.graph))
    }

    private func run(_ session: Session, _ sizes: [String: Int], _ inputs: [Tensor]) throws -> Tensor {
        for (name, size) in sizes { try session.setDimension(name, size) }
        for (i, input) in inputs.enumerated() { try session.set(function: 0, input: i, input) }
        try session.run()
        return try session.tensor(function: 0, output: 0)
    }

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
            let session = try session(f, ["a": bounds, "b": bounds])
            defer { session.destroy() }
            for (a, b) in [(bounds.lowerBound, bounds.upperBound), (bounds.upperBound, bounds.lowerBound)] {
                XCTAssertEqual(try run(session, ["a": a, "b": b], [try ones(a, 3), try ones(3, b)]).shape, [a, b])
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
        let session = try session(f, ["t": 5...64])
        defer { session.destroy() }
        for t in [64, 5, 6, 33, 64] {
            let y = try run(session, ["t": t], [try ones(1, 1, t)])
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
        let session = try session(f, ["n": 1...4])
        defer { session.destroy() }
        for n in [4, 1, 3] {
            let x = (0..<3 * n).map { Float($0) }
            let i = (0..<2 * n).map { $0 % 3 - ($0 % 2) * 3 }
            let y = try run(
                session, ["n": n], [try Tensor(x).reshaped([n, 3]), try Tensor(i).reshaped([n, 2])])
            let wanted = i.enumerated().map { x[$0 / 2 * 3 + ($1 + 3) % 3] }
            XCTAssertEqual(y, try Tensor(wanted).reshaped([n, 2]))
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
        let session = try session(f, ["n": 1...2])
        defer { session.destroy() }
        // The sum of the window, and nothing of any other frequency.
        let y = try run(session, ["n": 1], [try ones(1, 16)])
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
}
