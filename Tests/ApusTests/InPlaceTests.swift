import Apus
import ApusGraph
import ApusRuntime
import CKernels
import XCTest

/// An operator that may overwrite its inputs gives the same bits when it does.
final class InPlaceTests: XCTestCase {
    /// Every input passes through a copy that nobody else reads, so that the plan lets the node write over it.
    func testOverwritingGivesTheSameBits() throws {
        for test in allCases where overwrites(test.op) {
            let inputs = test.tensors()
            let apart = try Model(try OperatorRun.graph(test.op, inputs))
            let shared = try Model(try copying(test.op, inputs))
            for isa in OperatorRun.instructionSets {
                XCTAssertEqual(
                    try OperatorRun.run(apart, inputs, isa: isa).map { $0.bytes },
                    try OperatorRun.run(shared, inputs, isa: isa).map { $0.bytes }, test.name)
            }
        }
    }

    func testPlanOverwritesWhatItMay() throws {
        let graph = Graph("in place")
        let builder = GraphBuilder(graph, function: "predict")
        let x = try builder.input("x", TensorType(.f32, [64]))
        var value = try builder(.neg, x)
        for op in [.exp, ActivationOperator(.relu), .sqrt, .square] as [Operator] { value = try builder(op, value) }
        value = try builder(.add, value, try builder.scalar(1, .f32))
        value = try builder(Softmax(), try builder(.mul, value, value))
        builder.output("y", value)
        builder.finish()
        let plan = try Plan(
            try ValidGraph(validating: graph), function: 0, PlanOptions(limits: [], isa: CK_ISA_REFERENCE, lanes: 1))
        XCTAssertEqual(plan.buffers.count, 2, "one buffer for the input, one for all that follows")
    }

    func testBroadcastOperandIsNotOverwritten() throws {
        // a [1, 4] of f32 has the bytes of y [4, 4] of bool, but not its elements.
        let a = TestTensor(.f32, [1, 4], [1, 2, 3, 4]), b = TestTensor(.f32, [4, 1], [1, 2, 3, 4])
        let found = try OperatorRun.run(try Model(try copying(.less, [a, b])), [a, b], isa: CK_ISA_REFERENCE)
        XCTAssertEqual(found[0].values, [0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0])
    }

    /// What a node makes of its input serves the next nodes that want the same of it, and none of another input.
    func testAnInputIsPreparedOnceForNeighbours() throws {
        for test in allCases where test.op is DynamicDense {
            let inputs = test.tensors()
            let graph = Graph("prepared")
            let builder = GraphBuilder(graph, function: "predict")
            var values: [Value] = []
            for (i, tensor) in inputs.enumerated() { values.append(try builder.input("x\(i)", tensor.type)) }
            let rest = values.dropFirst()
            builder.output("first", try builder.node(test.op, values)[0])
            builder.output("second", try builder.node(test.op, values)[0])
            let opposite = try builder(.neg, values[0])
            builder.output("other", try builder.node(test.op, [opposite] + rest)[0])
            builder.output("third", try builder.node(test.op, values)[0])
            builder.finish()
            let options = PlanOptions(limits: [], isa: CK_ISA_REFERENCE, lanes: 1)
            let single = try Plan(
                try ValidGraph(validating: try OperatorRun.graph(test.op, inputs)), function: 0, options)
            let plan = try Plan(try ValidGraph(validating: graph), function: 0, options)
            XCTAssertEqual(plan.steps.count, 4 * single.steps.count - 1 + 1, "four nodes, one preparation less, and Neg")

            let negated = TestTensor(.f32, inputs[0].shape, inputs[0].values.map { -$0 })
            for isa in OperatorRun.instructionSets {
                let found = try OperatorRun.run(try Model(graph), inputs, isa: isa).map { $0.bytes }
                let alone = try Model(try OperatorRun.graph(test.op, inputs))
                let wanted = try OperatorRun.run(alone, inputs, isa: isa)[0].bytes
                let other = try OperatorRun.run(alone, [negated] + inputs.dropFirst(), isa: isa)[0].bytes
                XCTAssertEqual(found, [wanted, wanted, other, wanted], test.name)
            }
        }
    }

    private func overwrites(_ op: Operator) -> Bool {
        (0..<op.inputCount.upperBound).contains { input in
            (0..<op.outputCount).contains { op.mayOverwrite(input: input, output: $0) }
        }
    }

    private func copying(_ op: Operator, _ inputs: [TestTensor]) throws -> Graph {
        let graph = Graph("case")
        let builder = GraphBuilder(graph, function: "predict")
        var values: [Value] = []
        for (i, tensor) in inputs.enumerated() { values.append(try builder.input("x\(i)", tensor.type)) }
        for i in inputs.indices { values[i] = try builder(Slice(axes: [], starts: [], ends: []), values[i]) }
        for (i, output) in try builder.node(op, values).enumerated() { builder.output("y\(i)", output) }
        builder.finish()
        return graph
    }
}
