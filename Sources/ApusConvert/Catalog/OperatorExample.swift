import ApusGraph
import CKernels

/// One use of an operator, from which `OperatorCatalog` finds out what the operator takes.
struct OperatorExample: Sendable {
    enum Input: Sendable {
        /// Of the type that is tried.
        case any([Int])
        /// Of one type.
        case of(DType, [Int])
        /// Codes of i8.
        case codes([Int])
        /// A constant of these elements, over and over.
        case constant(DType, [Int], [Double])

        func type(_ dtype: DType) -> TensorType {
            switch self {
            case .any(let shape): TensorType(dtype, Shape(shape))
            case .of(let dtype, let shape): TensorType(dtype, Shape(shape))
            case .codes(let shape): OperatorExample.codes.type(Shape(shape))
            case .constant(let dtype, let shape, _): TensorType(dtype, Shape(shape))
            }
        }
    }

    static let codes = CodeScale(scale: 0.1, zeroPoint: 3)

    nonisolated(unsafe) let op: Operator
    var inputs: [Input]

    init(_ op: Operator, _ inputs: Input...) {
        self.op = op
        self.inputs = inputs
    }

    init(_ op: Operator, shapes: [[Int]]) {
        self.op = op
        inputs = shapes.map { .any($0) }
    }

    /// The outputs with the varying inputs of a type; throws where the operator or its kernels refuse it.
    func outputs(_ types: [TensorType]) throws(ApusError) -> [TensorType] {
        let outputs = try op.checkedOutputTypes(types, dimensions: OperatorExample.dimensions.map { $0.maximum }, node: op.name)
        _ = try op.chosenKernels(KernelSite(inputs: types, outputs: outputs, isa: CK_ISA_REFERENCE, lanes: 1))
        return outputs
    }

    func types(_ dtype: DType) -> [TensorType] { inputs.map { $0.type(dtype) } }

    /// The element types that the varying inputs may have.
    var dtypes: [DType] {
        DType.allCases.filter { dtype in
            do throws(ApusError) {
                _ = try outputs(types(dtype))
                return true
            } catch {
                return false
            }
        }
    }

    /// Whether inputs vary at all.
    var varies: Bool { inputs.contains { if case .any = $0 { true } else { false } } }

    /// Whether they may be integers that stand for reals.
    var isQuantized: Bool {
        if inputs.contains(where: { if case .codes = $0 { true } else { false } }) { return true }
        return varies && [DType.i8, .u8].contains { dtype in
            do throws(ApusError) {
                let quantized = inputs.map { input in
                    var type = input.type(dtype)
                    if case .any = input { type.quantization = Quantization(scales: [1]) }
                    return type
                }
                _ = try outputs(quantized)
                return true
            } catch {
                return false
            }
        }
    }

    /// Whether a gradient flows to an input.
    var hasGradient: Bool {
        guard let dtype = dtypes.first else { return false }
        return inputs.indices.contains { input in
            do throws(ApusError) { return try gradient(dtype, of: input) != nil } catch { return false }
        }
    }

    private func gradient(_ dtype: DType, of input: Int) throws(ApusError) -> Value? {
        let types = self.types(dtype), results = try outputs(types)
        let builder = GraphBuilder(OperatorExample.graph(op.name), function: "gradient")
        var values: [Value] = []
        for (i, type) in (types + results).enumerated() { values.append(try builder.input("x\(i)", type)) }
        let inputs = Array(values[..<types.count])
        let gradients = try op.gradient(
            Gradient(
                builder: builder, inputs: inputs, outputs: try builder.node(op, inputs),
                outputGradients: values[types.count...].map { $0 }, wanted: types.indices.map { $0 == input }))
        return gradients[input]
    }

    /// For operators that measure one.
    private static let dimensions = [SymbolicDimension("n", 1...1)]

    private static func graph(_ name: String) -> Graph {
        let graph = Graph(name)
        graph.dimensions = dimensions
        return graph
    }

    /// A function of the operator alone.
    func graph(_ dtype: DType) throws(ApusError) -> Graph {
        let graph = OperatorExample.graph(op.name)
        let builder = GraphBuilder(graph, function: "predict")
        var inputs: [Value] = []
        for (i, input) in self.inputs.enumerated() {
            guard case .constant(let dtype, let shape, let elements) = input else {
                inputs.append(try builder.input("x\(i)", input.type(dtype)))
                continue
            }
            let all = (0..<Shape(shape).count).map { elements[$0 % elements.count] }
            graph.constants.append(try Constant("c\(i)", dtype, shape, all))
            inputs.append(builder.constant(graph.constants.count - 1))
        }
        for (i, output) in try builder.node(op, inputs).enumerated() { builder.output("y\(i)", output) }
        builder.finish()
        return graph
    }
}
