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
