import CKernels
import XCTest

@testable import Apus

final class LayersPhiloxTests: XCTestCase {
    /// The known answers published with the paper (kat_vectors of Random123).
    func testKnownAnswers() {
        let all: UInt32 = 0xFFFF_FFFF
        XCTAssertEqual(
            Philox.block(SIMD4(repeating: 0), key: SIMD2(repeating: 0)),
            SIMD4(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8))
        XCTAssertEqual(
            Philox.block(SIMD4(repeating: all), key: SIMD2(repeating: all)),
            SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD))
        XCTAssertEqual(
            Philox.block(
                SIMD4(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344), key: SIMD2(0xA409_3822, 0x299F_31D0)),
            SIMD4(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1))
    }

    private func kernel(_ task: ck_task?, seed: UInt64, stream: UInt32, count: Int) throws -> [Double] {
        var params = ck_random_params(count: Int64(count), seed: seed, stream: stream, rate: 0)
        var counter: Int64 = 0
        var values = [Double](repeating: .nan, count: count)
        let task = try XCTUnwrap(task)
        values.withUnsafeMutableBytes { values in
            withUnsafeMutableBytes(of: &counter) { counter in
                task(&params, [counter.baseAddress, values.baseAddress], 0, ck_random_units(&params), 0)
            }
        }
        return values
    }

    func testTheStreamIsTheKernels() throws {
        let seed: UInt64 = 0x1234_5678_9ABC_DEF0, count = 1001
        var random = Philox(seed: seed, stream: 7 << 32)
        let uniform = try kernel(ck_random_uniform(CK_F64, CK_ISA_REFERENCE), seed: seed, stream: 7, count: count)
        for value in uniform { XCTAssertEqual(Double(random.next32()) * 0x1p-32, value) }
        random = Philox(seed: seed, stream: 7 << 32)
        let normal = try kernel(ck_random_normal(CK_F64, CK_ISA_REFERENCE), seed: seed, stream: 7, count: count)
        for value in normal { XCTAssertEqual(random.normal(), value, accuracy: 1e-12) }
    }

    func testNormalMoments() {
        var random = Philox(seed: 1), sums = (0.0, 0.0, 0.0)
        let count = 100_000.0
        for _ in 0..<100_000 {
            let z = random.normal()
            sums = (sums.0 + z, sums.1 + z * z, sums.2 + z * z * z * z)
        }
        XCTAssertEqual(sums.0 / count, 0, accuracy: 5 / count.squareRoot())
        XCTAssertEqual(sums.1 / count, 1, accuracy: 5 * (2 / count).squareRoot())
        XCTAssertEqual(sums.2 / count, 3, accuracy: 5 * (96 / count).squareRoot())
    }
}
