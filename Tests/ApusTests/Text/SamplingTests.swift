import ApusGraph
import XCTest

@testable import Apus

final class SamplingTests: XCTestCase {
    private func draws(_ sampling: Sampling, _ logits: [Float], after seen: [Int] = [], count: Int = 20_000) throws -> [Double] {
        var sampler = try Sampler(sampling)
        var counts = [Int](repeating: 0, count: logits.count)
        for _ in 0..<count { counts[try sampler.next(logits, after: seen)] += 1 }
        return counts.map { Double($0) / Double(count) }
    }

    private func check(_ found: [Double], _ wanted: [Double], line: UInt = #line) {
        for (a, b) in zip(found, wanted) { XCTAssertEqual(a, b, accuracy: 0.015, "\(found)", line: line) }
    }

    private let logits: [Float] = [log(0.1), log(0.4), log(0.2), log(0.3)]

    func testDrawsByProbability() throws {
        check(try draws(Sampling(), logits), [0.1, 0.4, 0.2, 0.3])
        let squares = [0.01, 0.16, 0.04, 0.09].map { $0 / 0.30 }
        check(try draws(Sampling(temperature: 0.5), logits), squares)
    }

    func testGreedyTakesTheFirstOfTheLikeliest() throws {
        check(try draws(.greedy, [1, 3, 3, 2], count: 10), [0, 1, 0, 0])
    }

    func testTopK() throws { check(try draws(Sampling(topK: 2), logits), [0, 4 / 7.0, 0, 3 / 7.0]) }

    func testTopP() throws {
        check(try draws(Sampling(topP: 0.65), logits), [0, 4 / 7.0, 0, 3 / 7.0])
        check(try draws(Sampling(topP: 0.85), logits), [0, 4 / 9.0, 2 / 9.0, 3 / 9.0])
        check(try draws(Sampling(topP: 1e-9), logits, count: 10), [0, 1, 0, 0])
    }

    func testRepetitionPenalty() throws {
        let seen = [1, 1, 2, 99]
        // Logits below 0 are multiplied, those above divided.
        let wanted = [0.1, 0.16, 0.04, 0.3].map { $0 / 0.6 }
        check(try draws(Sampling(repetitionPenalty: 2), logits, after: seen), wanted)
        check(try draws(Sampling(temperature: 0, repetitionPenalty: 4), [1, 3], after: [1], count: 10), [1, 0])
    }

    func testTheSeedDecides() throws {
        func sequence(_ seed: UInt64) throws -> [Int] {
            var sampler = try Sampler(Sampling(seed: seed))
            return try (0..<50).map { _ in try sampler.next(logits) }
        }
        XCTAssertEqual(try sequence(3), try sequence(3))
        XCTAssertNotEqual(try sequence(3), try sequence(4))
    }

    func testRefusals() throws {
        for (sampling, text) in [
            (Sampling(temperature: -1), "temperature -1.0"), (Sampling(temperature: .nan), "temperature nan"),
            (Sampling(topK: -2), "top-k -2"), (Sampling(topP: 0), "top-p 0.0"), (Sampling(topP: 1.5), "top-p 1.5"),
            (Sampling(repetitionPenalty: 0), "repetition penalty 0.0"),
        ] {
            XCTAssertThrowsError(try Sampler(sampling)) { XCTAssertTrue("\($0)".contains(text), "\($0)") }
        }
        var sampler = try Sampler(Sampling())
        XCTAssertThrowsError(try sampler.next([.nan, .nan]))
        XCTAssertThrowsError(try sampler.next([]))
        XCTAssertEqual(try sampler.next([.nan, 1]), 1)
    }
}
