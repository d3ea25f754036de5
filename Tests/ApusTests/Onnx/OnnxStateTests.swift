import Apus
import ApusGraph
import ApusRuntime
import Foundation
import XCTest

@testable import ApusConvert

/// Inputs of ONNX models that become states of a session.
final class OnnxStateTests: XCTestCase {
    private func graph(
        _ f: OnnxFixture, states: [String: String], dimensions: [String: ClosedRange<Int>] = [:]
    ) throws -> Graph {
        var options = OnnxOptions()
        options.states = states
        options.dimensions = dimensions
        let model = try OnnxReader.read(bytes: f.bytes, folder: URL(fileURLWithPath: "/nonexistent"))
        return try ModelConversion(try Importer.graph(of: model, options).get(), ExportOptions()).graph
    }

    /// y = h + x, h the last y.
    private func sums(_ shape: [OnnxFixture.Extent] = [.fixed(3)]) -> OnnxFixture {
        var f = OnnxFixture()
        f.input("x", shape)
        f.input("h", shape)
        f.node("Add", ["h", "x"], ["h2"])
        f.node("Neg", ["h2"], ["y"])
        f.output("y")
        f.output("h2")
        return f
    }

    func testAStateGoesFromRunToRun() throws {
        let graph = try graph(sums(), states: ["h": "h2"])
        XCTAssertEqual(graph.functions[0].inputs.map { $0.name }, ["x"])
        XCTAssertEqual(graph.functions[0].outputs.map { $0.name }, ["y"])
        XCTAssertEqual(graph.states.map { $0.name }, ["h"])
        let session = try Session(try ApusRuntime.Model(graph))
        defer { session.destroy() }
        let x = try Tensor([1, -2, 0.5] as [Float])
        for run in 1...3 {
            XCTAssertEqual(try session.run([:], [x]).doubles(), [-1, 2, -0.5].map { $0 * Double(run) })
        }
        session.resetStates()
        XCTAssertEqual(try session.run([:], [x]).doubles(), [-1, 2, -0.5])
    }

    /// An input with a value in the file begins with that.
    func testAStateBeginsWithTheValueOfItsInput() throws {
        var f = sums([.named("n")])
        f.constant("h", [3], [10, 20, 30])
        let session = try Session(try ApusRuntime.Model(try graph(f, states: ["h": "h2"], dimensions: ["n": 3...3])))
        defer { session.destroy() }
        let x = try Tensor([1, 2, 3] as [Float])
        XCTAssertEqual(try session.run([:], [x]).doubles(), [-11, -22, -33])
        XCTAssertEqual(try session.run([:], [x]).doubles(), [-12, -24, -36])
        session.resetStates()
        XCTAssertEqual(try session.run([:], [x]).doubles(), [-11, -22, -33])
    }

    /// A GRU that is given one step after another gives what it gives for all at once.
    func testStepsOfARecurrentLayer() throws {
        func fixture(_ time: Int) throws -> OnnxFixture {
            var f = OnnxFixture(), random = Philox(seed: 7)
            func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.normal() / 3) } }
            f.input("x", [.fixed(time), .named("batch"), .fixed(4)])
            f.input("h", [.fixed(1), .named("batch"), .fixed(5)])
            f.constant("w", [1, 15, 4], numbers(60))
            f.constant("r", [1, 15, 5], numbers(75))
            f.constant("b", [1, 30], numbers(30))
            f.node("GRU", ["x", "w", "r", "b", "", "h"], ["y", "hn"], int: ["hidden_size": 5, "linear_before_reset": 1])
            f.output("y")
            f.output("hn")
            return f
        }
        let one = ["batch": 1...1]
        let whole = try Session(try ApusRuntime.Model(try graph(try fixture(6), states: ["h": "hn"], dimensions: one)))
        let step = try Session(try ApusRuntime.Model(try graph(try fixture(1), states: ["h": "hn"], dimensions: one)))
        defer {
            whole.destroy()
            step.destroy()
        }
        let x = try Tensor((0..<24).map { Float($0 % 7) / 4 - 1 }, shape: [6, 1, 4])
        let wanted = try whole.run([:], [x]).doubles()
        for t in 0..<6 {
            XCTAssertEqual(try step.run([:], [try x.rows(t..<t + 1)]).doubles(), Array(wanted[t * 5..<t * 5 + 5]))
        }
    }

    func testRefusals() throws {
        func message(_ f: OnnxFixture, _ states: [String: String], _ dimensions: [String: ClosedRange<Int>] = [:]) -> String {
            do { _ = try graph(f, states: states, dimensions: dimensions) } catch { return "\(error)" }
            return ""
        }
        XCTAssertTrue(message(sums(), ["g": "h2"]).contains("no input 'g' to keep as a state"))
        var valued = sums()
        valued.constant("h", [2], [1, 2])
        XCTAssertTrue(message(valued, ["h": "h2"]).contains("state 'h' f32[3] with a value f32[2] in the file"))
        XCTAssertTrue(message(sums(), ["h": "z"]).contains("no output 'z' for state 'h' to take"))
        XCTAssertTrue(message(sums(), ["h": "y", "x": "h2"]).contains("all outputs taken by states"))
        XCTAssertTrue(message(sums([.named("n")]), ["h": "h2"]).contains("of a symbolic size, wanted one size: --dim n=1"))
        XCTAssertEqual(message(sums([.named("n")]), ["h": "h2"], ["n": 2...2]), "")
        var other = OnnxFixture()
        other.input("x", [.fixed(3)])
        other.input("h", [.fixed(2)])
        other.node("Neg", ["x"], ["h2"])
        other.node("Concat", ["h", "x"], ["y"], int: ["axis": 0])
        other.output("y")
        other.output("h2")
        XCTAssertTrue(message(other, ["h": "h2"]).contains("output 'h2' f32[3] for state 'h', wanted f32[2]"))
    }
}
