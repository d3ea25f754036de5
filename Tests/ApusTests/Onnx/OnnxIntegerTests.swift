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
}
