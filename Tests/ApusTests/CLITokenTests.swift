import ApusGraph
import Foundation
import XCTest

@testable import Apus

/// Networks that read tokens, trained on arrays.
final class CLITokenTests: XCTestCase {
    private let words = 20, length = 6

    /// Sentences in which each token says the next, as x and y, and as "first" whether the first is odd.
    private func sentences(_ f: CLIFixture, _ name: String, wide: Bool = false, shift: Int = 0) throws -> String {
        var x: [Int32] = [], y: [Int32] = [], first: [Int32] = []
        for sample in 0..<40 {
            var token = Int32(sample) % Int32(words)
            first.append(token % 2)
            for _ in 0..<length {
                x.append(token + Int32(shift))
                token = (3 * token + 1) % Int32(words)
                y.append(token + Int32(shift))
            }
        }
        let shape = [40, length]
        var arrays = [try Tensor(x, shape: shape), try Tensor(y, shape: shape)]
        if wide { arrays = try arrays.map { try $0.converted(to: .i64) } }
        try NPZ.write(
            [
                NamedTensor("x", arrays[0]), NamedTensor("y", arrays[1]), NamedTensor("first", try Tensor(first)),
                NamedTensor("real", try arrays[0].converted(to: .f32)),
            ], to: f.file(name))
        return f.file(name)
    }

    private func accuracy(_ model: String, _ data: String) throws -> Double {
        let report = try CLIRun("apus", ["evaluate", model, "--data", data, "--json"]).json()
        return try XCTUnwrap((report["values"] as? [String: Double])?["accuracy"])
    }

    func testAClassOfAText() throws {
        let f = try CLIFixture(), data = "npz:\(try sentences(f, "x.npz")),y=first"
        for name in ["text-gru", "text-lstm"] {
            let model = f.file(name + ".apus")
            try CLIRun(
                "apus",
                [
                    "train", "--model", "\(name):\(words)", "--data", data, "--validation", data, "--epochs", "12",
                    "--learning-rate", "0.01", "--batch-size", "8", "--export", model, "--quiet",
                ]
            ).expectSuccess()
            XCTAssertGreaterThan(try accuracy(model, data), 0.8, name)
        }
    }

    /// The numbers that NumPy makes by default, too.
    func testTheNextToken() throws {
        let f = try CLIFixture(), data = "npz:\(try sentences(f, "x.npz"))", wide = "npz:\(try sentences(f, "w.npz", wide: true))"
        let train = [
            "train", "--model", "gpt:1,16,2", "--epochs", "20", "--learning-rate", "0.02", "--batch-size", "8", "--quiet",
            "--data",
        ]
        try CLIRun("apus", train + [data, "--export", f.file("m.apus")]).expectSuccess()
        try CLIRun("apus", train + [wide, "--export", f.file("w.apus")]).expectSuccess()
        XCTAssertTrue(FileManager.default.contentsEqual(atPath: f.file("m.apus"), andPath: f.file("w.apus")))
        let report = try CLIRun("apus", ["evaluate", f.file("m.apus"), "--data", wide, "--json"]).json()
        let values = try XCTUnwrap(report["values"] as? [String: Double])
        XCTAssertGreaterThan(try XCTUnwrap(values["accuracy"]), 0.8)
        XCTAssertLessThan(try XCTUnwrap(values["perplexity"]), 4, "20 tokens are equally likely at first")
        XCTAssertNil(report["confusion"])
        let shifted = "npz:\(try sentences(f, "s.npz", shift: 7))"
        try CLIRun("apus", train + [data, "--validation", shifted])
            .expectFailure(2, "apus: token 20 of sample 0, wanted 0 ... 19\n")
    }

    func testWhatIsNoText() throws {
        let f = try CLIFixture(), path = try sentences(f, "x.npz"), below = try sentences(f, "b.npz", shift: -1)
        for (model, data, part) in [
            ("text-gru:20", "npz:\(path),x=real,y=first", "\"input\" is f32 [40, 6], wanted integers, the indices of tokens\n"),
            ("text-lstm:9", "npz:\(path),y=first", "token 13 of sample 0, wanted 0 ... 8\n"),
            ("text-gru:20", "npz:\(below),y=first", "token -1 of sample 0, wanted 0 ... 19\n"),
            ("gpt:1,16,2", "npz:\(below)", "token -1 of sample 0, wanted 0 ... 18\n"),
            ("gpt:1,16,2", "npz:\(path),y=first", "\"input\" is i32 [40, 6] and \"target\" i32 [40], wanted integers of one"),
            ("gpt:1,16,2", "npz:\(path),x=real", "\"input\" is f32 [40, 6] and \"target\" i32 [40, 6], wanted integers"),
        ] { try CLIRun("apus", ["train", "--model", model, "--data", data, "--quiet"]).expectFailure(2, "apus: ", part) }
    }

    func testEveryNetworkIsListed() throws {
        for command in ["train", "bench-training"] {
            let help = try CLIRun("apus", [command, "--help"]).output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            XCTAssertTrue(help.contains("text-gru:WORDS, text-lstm:WORDS or gpt:LAYERS,WIDTH,HEADS"), help)
        }
    }
}
