import ApusGraph
import ApusRuntime
import CKernels
import XCTest

/// Averages of a parameter that no gradient reaches any more end at 0, not among numbers that are slow to compute with.
final class OptimizersTinyTests: XCTestCase {
    private let updates: [ParameterUpdate] = [
        Sgd(momentum: 0.9), RmsProp(momentum: 0.5), Adagrad(), Adam(), Adam(weightDecay: 0.125, decoupled: true),
    ]

    func testTinyAveragesBecomeZero() throws {
        for (dtype, tiny) in [(DType.f32, 1e-40), (.f64, 0x1p-1030)] {
            for op in updates {
                func filled(_ value: Double) -> TestTensor { TestTensor(dtype, [11], [Double](repeating: value, count: 11)) }
                let slots = [TestTensor](repeating: filled(tiny), count: op.slots)
                let inputs = [filled(1), filled(0)] + slots + [TestTensor(.f32, [], [0.01]), TestTensor(.i64, [], [900])]
                let model = try Model(try OperatorRun.graph(op, inputs))
                for isa in OperatorRun.instructionSets {
                    let results = try OperatorRun.run(model, inputs, isa: isa)
                    for slot in results.dropFirst() {
                        XCTAssertEqual(slot.values, filled(0).values, "\(op.code) of \(dtype) on \(InstructionSet.name(isa))")
                    }
                }
            }
        }
    }

    /// The caller's own arithmetic keeps its tiny numbers.
    func testTheModeOfTheProcessorIsRestored() throws {
        let one = TestTensor(.f32, [1], [1])
        let inputs = [one, one, TestTensor(.f32, [], [0.01]), TestTensor(.i64, [], [1])]
        _ = try OperatorRun.run(try Model(try OperatorRun.graph(Sgd(), inputs)), inputs, isa: InstructionSet.selected)
        let tiny = Float(Double(inputs[2].values[0]) * 1e-36)
        XCTAssertGreaterThan(tiny * Float(inputs[2].values[0]), 0)
    }
}
