import Apus
import ApusGraph
import ApusRuntime
import CKernels
import XCTest

/// What must hold of every operator, derived from its cases.
final class OperatorTests: XCTestCase {
    func testEveryOperatorHasCases() {
        let covered = Set(allCases.map { $0.op.name })
        for entry in operatorTable.entries { XCTAssert(covered.contains(entry.name), "\(entry.name) has no case") }
        XCTAssertEqual(Set(allCases.map { $0.name }).count, allCases.count, "two cases share a name")
    }

    func testOperatorCodesAreUnique() {
        XCTAssertEqual(Set(operatorTable.entries.map { $0.code.rawValue }).count, operatorTable.entries.count)
        XCTAssertEqual(Set(operatorTable.entries.map { $0.name }).count, operatorTable.entries.count)
    }

    func testEveryInstructionSetAgreesWithTheReference() throws {
        try forEachCase { test in
            let inputs = test.tensors()
            let wanted = test.reference(inputs)
            let model = try Model(try OperatorRun.graph(test.op, inputs))
            for isa in OperatorRun.instructionSets {
                let found = try OperatorRun.run(model, inputs, isa: isa)
                XCTAssertEqual(found.count, wanted.count, test.name)
                for (f, w) in zip(found, wanted) {
                    expect(f, w, test.tolerance, "\(test.name) on \(InstructionSet.name(isa))")
                }
            }
        }
    }

    func testExactOperatorsGiveTheSameBytesOnEveryInstructionSet() throws {
        var checked = 0
        try forEachCase { test in
            guard test.tolerance == 0 else { return }
            let inputs = test.tensors()
            let model = try Model(try OperatorRun.graph(test.op, inputs))
            let wanted = try OperatorRun.run(model, inputs, isa: CK_ISA_REFERENCE)
            for isa in OperatorRun.instructionSets {
                XCTAssertEqual(
                    try OperatorRun.run(model, inputs, isa: isa).map { $0.bytes }, wanted.map { $0.bytes },
                    "\(test.name) on \(InstructionSet.name(isa))")
            }
            checked += 1
        }
        XCTAssertGreaterThan(checked, 50)
    }

    func testThreadsGiveTheSameBits() throws {
        try forEachCase { test in
            let inputs = test.tensors()
            let model = try Model(try OperatorRun.graph(test.op, inputs))
            let one = try OperatorRun.run(model, inputs, isa: ck_isa_native())
            for threads in [2, 7] {
                let many = try OperatorRun.run(model, inputs, isa: ck_isa_native(), threads: threads)
                XCTAssertEqual(one.map { $0.bytes }, many.map { $0.bytes }, "\(test.name), \(threads) threads")
            }
        }
    }

    func testEveryRunGivesTheSameBits() throws {
        try forEachCase { test in
            let inputs = test.tensors()
            let model = try Model(try OperatorRun.graph(test.op, inputs))
            let first = try OperatorRun.run(model, inputs, isa: ck_isa_native())
            for threads in [1, 2, 7] {
                let second = try OperatorRun.run(model, inputs, isa: ck_isa_native(), threads: threads, runs: 2)
                XCTAssertEqual(first.map { $0.bytes }, second.map { $0.bytes }, "\(test.name), \(threads) threads")
            }
        }
    }

    func testPackedConstantsGiveTheSameBits() throws {
        try forEachCase { test in
            let inputs = test.tensors()
            let packs = inputs.indices.contains {
                test.op.packedLayout(input: $0, type: inputs[$0].type) != nil
            }
            guard packs else { return }
            let plain = try Model(try OperatorRun.graph(test.op, inputs))
            let packed = try Model(try OperatorRun.graph(test.op, inputs, packed: true))
            for isa in OperatorRun.instructionSets {
                XCTAssertEqual(
                    try OperatorRun.run(plain, inputs, isa: isa).map { $0.bytes },
                    try OperatorRun.run(packed, inputs, isa: isa).map { $0.bytes }, test.name)
            }
        }
    }

    func testWriteAndReadRoundTrip() throws {
        try forEachCase { test in
            let inputs = test.tensors()
            let graph = try OperatorRun.graph(test.op, inputs, packed: true)
            let direct = try OperatorRun.run(try Model(graph), inputs, isa: ck_isa_native())
            let file = try ModelWriter.bytes(graph)
            try file.withUnsafeBytes { bytes in
                let read = try Model(bytes: bytes)
                let found = try OperatorRun.run(read, inputs, isa: ck_isa_native())
                XCTAssertEqual(direct.map { $0.bytes }, found.map { $0.bytes }, test.name)
                XCTAssertEqual(try ModelWriter.bytes(read.graph), file, "\(test.name): written again")
            }
        }
    }

    /// Central differences in Double of Σ c·y, eps 1e-5, against the gradient that the operator emits.
    func testGradientsAgreeWithCentralDifferences() throws {
        try forEachCase { test in
            guard !test.gradients.isEmpty else { return }
            try GradientCheck(test).run()
        }
    }

    private func forEachCase(_ body: (OperatorCase) throws -> Void) rethrows {
        for test in allCases {
            do { try body(test) } catch { XCTFail("\(test.name): \(error)") }
        }
    }

    private func expect(_ found: TestTensor, _ wanted: TestTensor, _ tolerance: Double, _ what: String) {
        guard found.shape == wanted.shape else { return XCTFail("\(what): shape \(found.shape), wanted \(wanted.shape)") }
        for (i, (f, w)) in zip(found.values, wanted.values).enumerated() {
            let same = f == w || f.isNaN && w.isNaN || abs(f - w) <= tolerance * max(1, abs(w))
            guard same else { return XCTFail("\(what): element \(i) is \(f), wanted \(w)") }
        }
    }
}
