import Apus
import ApusGraph
import ApusRuntime
import CKernels
import Foundation

/// A graph of one node over function inputs, or over constants, packed where an operator wants them so: weights, and what
/// belongs to the codes of an integer operator.
enum OperatorRun {
    static func graph(_ op: Operator, _ inputs: [TestTensor], packed: Bool = false) throws -> Graph {
        let graph = Graph("case")
        if let dimension = op.measuredDimension, dimension == 0 {
            graph.dimensions = [SymbolicDimension("n", 0...inputs[0].shape[0])]
        }
        var values: [Value?] = []
        for (i, tensor) in inputs.enumerated() {
            if packed, isConstant(op, i, tensor.type) {
                let constant = Constant("w\(i)", tensor.type, HeapStorage(tensor.bytes))
                let layout = op.packedLayout(input: i, type: tensor.type)
                graph.constants.append(try layout.map { try Packing.pack(constant, as: $0) } ?? constant)
            }
            values.append(nil)
        }
        let builder = GraphBuilder(graph, function: "predict")
        var constants = 0
        for (i, tensor) in inputs.enumerated() {
            if packed, isConstant(op, i, tensor.type) {
                values[i] = builder.constant(constants)
                constants += 1
            } else {
                values[i] = try builder.input("x\(i)", tensor.type)
            }
        }
        for (i, output) in try builder.node(op, values.map { $0! }, name: "node").enumerated() {
            let measured = op.measuredDimension.map { TensorType(output.type.dtype, output.shape.replacing(0, with: -1 - $0)) }
            builder.output("y\(i)", output, type: measured)
        }
        builder.finish()
        return graph
    }

    private static func isConstant(_ op: Operator, _ input: Int, _ type: TensorType) -> Bool {
        op.packedLayout(input: input, type: type) != nil
            || 130..<150 ~= op.code.rawValue && input != (op is WeightOnlyGather ? 2 : 0) && type.quantization == nil
    }

    /// Runs the first function, so often, and returns what the last run wrote; `inputs` that the graph has no input for are
    /// left out.
    static func run(
        _ model: Model, _ inputs: [TestTensor], isa: ck_isa, threads: Int = 1, runs: Int = 1
    ) throws -> [TestTensor] {
        var options = SessionOptions()
        options.isa = isa
        options.threads = threads
        let session = try Session(model, options)
        defer { session.destroy() }
        let function = model.graph.functions[0]
        for (index, input) in function.inputs.enumerated() {
            let number = Int(input.name.dropFirst())!
            try inputs[number].bytes.withUnsafeBytes { bytes in
                try session.setInput(function: 0, index, bytes)
            }
        }
        try session.checkReady(function: 0)
        try session.run()
        for _ in 1..<runs {
            for index in function.outputs.indices {
                let size = try session.type(.output, function: 0, index).byteSize
                memset(try session.address(.output, function: 0, index), 0xAA, size)
            }
            try session.run()
        }
        return try function.outputs.indices.map { index in
            let type = try session.type(.output, function: 0, index)
            var bytes = [UInt8](repeating: 0xAA, count: type.byteSize)
            try bytes.withUnsafeMutableBytes { buffer in
                try session.getOutput(function: 0, index, buffer)
            }
            return TestTensor(type, bytes: bytes)
        }
    }

    static var instructionSets: [ck_isa] { InstructionSet.all.filter { ck_isa_is_supported($0) != 0 } }
}
