import XCTest

import struct ApusGraph.ApusError
import class ApusGraph.Graph
import class ApusGraph.GraphBuilder
import struct ApusGraph.Shape
import struct ApusGraph.State
import struct ApusGraph.TensorType
import struct ApusGraph.Value
import class ApusRuntime.Model
@testable import Apus

/// The training phase of a network in f64: its loss and gradients as a function of input, target and parameters.
struct DoubleNetwork {
    let parameterNames: [String]
    /// Input, target, parameters in their order.
    var tensors: [TestTensor]
    private let model: Model
    private let trained: [Int]

    init(_ network: Network, _ lossFunction: any Loss, input: TestTensor, target: TestTensor) throws {
        let graph = Graph("double")
        graph.states.append(State("step", TensorType(.i64, []), .counter))
        let builder = GraphBuilder(graph, function: "step")
        let x = try builder.input("x0", input.type), t = try builder.input("x1", target.type)
        var tensors = [input, target], parameters: [Value] = []
        for (i, parameter) in network.parameters.all.enumerated() {
            tensors.append(TestTensor(.f64, parameter.value.shape, try parameter.value.doubles()))
            parameters.append(try builder.input("x\(i + 2)", tensors[i + 2].type))
        }
        let inputs = parameters
        let context = LayerContext(
            .training, builder, network.parameters, seed: network.seed, counter: builder.state(0), emit: { inputs[$0] })
        var values: [ObjectIdentifier: [Value]] = [:]
        for call in network.calls {
            try context.enter(call.layer)
            let arguments = call.inputs.map { values[ObjectIdentifier($0.call)]![$0.output] }
            values[ObjectIdentifier(call)] =
                call.layer is InputLayer ? [x] : try call.layer.call(arguments, context)
        }
        let output = network.outputs[0]
        var loss = try lossFunction.value(values[ObjectIdentifier(output.call)]![output.output], t, builder)
        let sum = Add()
        for penalty in context.losses { loss = try builder(sum.operation, loss, penalty) }
        trained = network.parameters.all.indices.filter { network.parameters.all[$0].isTrainable }
        let gradients = try Backward.gradients(of: loss, for: trained.map { inputs[$0] }, in: builder)
        builder.output("y0", loss)
        for (i, gradient) in gradients.enumerated() {
            let name = network.parameters.all[trained[i]].name
            builder.output("y\(i + 1)", try XCTUnwrap(gradient, "no gradient of \(name)"))
        }
        builder.finish()
        for pass in trainingPasses { _ = try pass.run(graph, ExportOptions()) }
        self.tensors = tensors
        parameterNames = network.parameters.all.map { $0.name }
        model = try Model(graph)
    }

    /// The loss, then the gradients of the trained parameters.
    func run(_ tensors: [TestTensor]) throws -> [TestTensor] {
        try OperatorRun.run(model, tensors, isa: .init(rawValue: 0))
    }

    var loss: Double { get throws { try run(tensors)[0].values[0] } }

    /// Compares every gradient with central differences; relative to the largest of its tensor.
    func checkGradients(tolerance: Double = 1e-6, file: StaticString = #filePath, line: UInt = #line) throws {
        let found = try run(tensors), step = 1e-6
        for (i, parameter) in trained.enumerated() {
            let gradient = found[i + 1].values
            let scale = max(1e-2, gradient.map { abs($0) }.max() ?? 0)
            for element in gradient.indices {
                func loss(_ shift: Double) throws -> Double {
                    var moved = tensors
                    moved[parameter + 2].values[element] += shift
                    return try run(moved)[0].values[0]
                }
                let wanted = (try loss(step) - loss(-step)) / (2 * step)
                guard abs(gradient[element] - wanted) > tolerance * scale else { continue }
                XCTFail(
                    "\(parameterNames[parameter])[\(element)]: \(gradient[element]), difference \(wanted)",
                    file: file, line: line)
                return
            }
        }
    }
}

extension Network {
    /// The shape of output 0 for a batch of 2, the batch left out.
    func outputShape() throws -> [Int] {
        let type = try inferenceGraph(maximumBatch: 2).functions[0].outputs[0].type.resolved([2])
        XCTAssertEqual(type.shape[0], 2)
        return Array(type.shape.dimensions.dropFirst())
    }

    var parameterCount: Int { parameters.all.reduce(0) { $0 + $1.count } }
    var trainedCount: Int { parameters.all.reduce(0) { $0 + ($1.isTrainable ? $1.count : 0) } }

    func set(_ name: String, _ values: [Double]) throws {
        let shape = try XCTUnwrap(parameters[name], "no parameter \(name)").shape
        try parameters.set(name, try Tensor(values.map { Float($0) }, shape: shape))
    }

    func doubles(_ name: String) throws -> [Double] {
        try XCTUnwrap(parameters[name], "no parameter \(name)").doubles()
    }
}

/// A batch of one input and one target.
func batch(_ input: [Double], _ inputShape: [Int], _ target: [Double], _ targetShape: [Int]) throws -> Batch {
    Batch(
        position: 0, indices: Array(0..<inputShape[0]),
        inputs: [NamedTensor("input", try Tensor(input.map { Float($0) }, shape: inputShape))],
        targets: [NamedTensor("target", try Tensor(target.map { Float($0) }, shape: targetShape))])
}

func assertClose(
    _ found: [Double], _ wanted: [Double], _ tolerance: Double = 1e-6, _ message: String = "",
    file: StaticString = #filePath, line: UInt = #line
) {
    XCTAssertEqual(found.count, wanted.count, message, file: file, line: line)
    for (i, (a, b)) in zip(found, wanted).enumerated() where !(abs(a - b) <= tolerance * max(1, abs(b))) {
        XCTFail("\(message) element \(i): \(a), wanted \(b)", file: file, line: line)
        return
    }
}
