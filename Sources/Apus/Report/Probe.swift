import ApusGraph
import CKernels

/// Every value that a function computes on the way, for looking where two runs part.
public struct Probe {
    /// A node's first output and the rest, in order.
    public struct Value {
        public let node: String
        public let operation: String
        public let tensor: Tensor
    }

    public let values: [Value]

    /// Runs a function on inputs with the kernels of an instruction set, and keeps what every node made.
    public init(
        _ graph: Graph, function index: Int, dimensions: [Int], inputs: [Tensor], isa: ck_isa? = nil, threads: Int = 1
    ) throws(ApusError) {
        let function = graph.functions[index]
        let observed = try ObservedFunction(graph, function: index, dimensions: dimensions, isa: isa, threads: threads)
        try observed.run(inputs)
        var values: [Value] = []
        for node in function.nodes {
            for output in 0..<node.op.outputCount {
                values.append(
                    Value(
                        node: output == 0 ? node.name : "\(node.name)#\(output)", operation: node.operation,
                        tensor: try observed.tensor(function.inputs.count + values.count)))
            }
        }
        self.values = values
    }

    /// The first value that differs from the other run's by more than relative·|y| + scaled·max |y|; nil where none
    /// does.
    public func firstDifference(
        from other: Probe, relative: Double, scaled: Double
    ) throws(ApusError) -> (value: Value, difference: Difference)? {
        for (mine, theirs) in zip(values, other.values) {
            if try Difference.agree(mine.tensor, theirs.tensor, relative: relative, scaled: scaled) { continue }
            return (mine, try Difference(mine.tensor, theirs.tensor))
        }
        return nil
    }
}
