import ApusGraph
import ApusRuntime
import CKernels

/// What one run of a function costs, node by node.
public struct GraphReport: Sendable {
    public struct Row: Sendable {
        public let name: String
        /// Such as "Conv2D + ReLU".
        public let operation: String
        public let outputs: [TensorType]
        /// Elements of the constants and states it reads; of one that several nodes read, at the first.
        public let parameters: Int
        public let operations: Int
        /// Multiply-adds of matrix products and convolutions.
        public let macs: Int
    }

    public let rows: [Row]

    public var parameters: Int { rows.reduce(0) { $0 + $1.parameters } }
    public var operations: Int { rows.reduce(0) { $0 + $1.operations } }
    public var macs: Int { rows.reduce(0) { $0 + $1.macs } }

    /// `dimensions` are the values of the symbolic ones, by default the smallest.
    public init(_ valid: ValidGraph, function index: Int, dimensions: [Int]? = nil) throws(ApusError) {
        let graph = valid.graph
        let function = graph.functions[index]
        let types = try valid.types(ofFunction: index, dimensions: dimensions ?? graph.dimensions.map { $0.minimum })
        var next = function.inputs.count
        var counted: Set<[Int]> = []
        var rows: [Row] = []
        for node in function.nodes {
            let outputs = Array(types[next..<next + node.op.outputCount])
            next += node.op.outputCount
            var inputs: [TensorType] = []
            var parameters = 0
            for operand in node.inputs {
                let type = try valid.type(of: operand, locals: types, reader: node.name)
                inputs.append(type)
                switch operand {
                case .constant(let i): if counted.insert([0, i]).inserted { parameters += type.shape.count }
                case .state(let i): if counted.insert([1, i]).inserted { parameters += type.shape.count }
                case .local: break
                }
            }
            let site = KernelSite(inputs: inputs, outputs: outputs, isa: InstructionSet.selected, lanes: 1)
            let operations = try node.op.kernels(site).operations
            rows.append(
                Row(
                    name: node.name, operation: node.operation, outputs: outputs, parameters: parameters,
                    operations: operations, macs: node.isProduct ? operations / 2 : 0))
        }
        self.rows = rows
    }
}

extension Node {
    /// A product of matrices or a convolution, on real numbers or on integers.
    fileprivate var isProduct: Bool {
        switch op {
        case is ApusGraph.MatMul, is RecurrentLayer, is QuantizedDense, is QuantizedConv2D, is DynamicDense, is WeightOnlyDense: true
        default: Product(self) != nil
        }
    }

    /// The operator and what is fused into it, such as "Conv2D + Add + ReLU".
    public var operation: String {
        guard let product = Product(self) else { return op.name }
        return op.name + (product.residual == nil ? "" : " + Add")
            + (product.activation == .none ? "" : " + " + product.activation.name)
    }
}
