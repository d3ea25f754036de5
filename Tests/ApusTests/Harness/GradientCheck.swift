import ApusGraph
import ApusRuntime
import CKernels
import XCTest

/// Compares an operator's gradient rule with central differences, both in Double on the reference loops.
struct GradientCheck {
    let test: OperatorCase
    let inputs: [TestTensor]
    private let epsilon = 1e-5
    private let tolerance = 1e-6

    init(_ test: OperatorCase) {
        self.test = test
        inputs = test.tensors().map { $0.dtype == .f32 ? $0.converted(to: .f64) : $0 }
    }

    func run() throws {
        let forward = try Model(try OperatorRun.graph(test.op, inputs))
        let outputs = try OperatorRun.run(forward, inputs, isa: CK_ISA_REFERENCE)
        var random = TestRandom(7)
        let weights = outputs.map { output in output.map { _ in Double.random(in: -1...1, using: &random) } }
        let found = try gradients(weights)
        for (slot, input) in test.gradients.enumerated() {
            for element in inputs[input].values.indices {
                let wanted = try difference(forward, weights, input, element)
                let error = abs(found[slot].values[element] - wanted)
                XCTAssertLessThanOrEqual(
                    error, tolerance * max(1, abs(wanted)),
                    "\(test.name): gradient of input \(input), element \(element) is "
                        + "\(found[slot].values[element]), central difference \(wanted)")
                if error > tolerance * max(1, abs(wanted)) { return }
            }
        }
    }

    private func gradients(_ weights: [TestTensor]) throws -> [TestTensor] {
        let graph = Graph("gradient")
        let builder = GraphBuilder(graph, function: "gradient")
        var values: [Value] = []
        for (i, input) in inputs.enumerated() { values.append(try builder.input("x\(i)", input.type)) }
        var arriving: [Value?] = []
        for (i, weight) in weights.enumerated() {
            arriving.append(
                arrives(at: i, weight) ? try builder.input("x\(inputs.count + i)", weight.type) : nil)
        }
        let outputs = try builder.node(test.op, values)
        let gradient = Gradient(
            builder: builder, inputs: values, outputs: outputs, outputGradients: arriving,
            wanted: inputs.indices.map { test.gradients.contains($0) })
        let results = try test.op.gradient(gradient)
        for input in test.gradients {
            let value = try XCTUnwrap(results[input], "\(test.name): no gradient of input \(input)")
            XCTAssertEqual(value.type, inputs[input].type, "\(test.name): type of gradient \(input)")
            builder.output("y\(input)", value)
        }
        builder.finish()
        return try OperatorRun.run(try Model(graph), inputs + weights, isa: CK_ISA_REFERENCE)
    }

    private func arrives(at output: Int, _ weight: TestTensor) -> Bool {
        weight.dtype == .f64 && test.differentiable?.contains(output) != false
    }

    private func difference(_ forward: Model, _ weights: [TestTensor], _ input: Int, _ element: Int) throws -> Double {
        func loss(_ shift: Double) throws -> Double {
            var moved = inputs
            moved[input].values[element] += shift
            let outputs = try test.surrogate?(inputs)(moved)
                ?? OperatorRun.run(forward, moved, isa: CK_ISA_REFERENCE)
            var sum = 0.0
            for (i, (output, weight)) in zip(outputs, weights).enumerated() where arrives(at: i, weight) {
                for (y, c) in zip(output.values, weight.values) { sum += y * c }
            }
            return sum
        }
        return (try loss(epsilon) - loss(-epsilon)) / (2 * epsilon)
    }
}
