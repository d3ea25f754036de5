import ApusGraph
import ApusRuntime
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
        let probe = Graph(graph.name)
        probe.constants = graph.constants
        probe.states = graph.states
        var function = graph.functions[index]
        let types = try ValidGraph(validating: graph).types(ofFunction: index, dimensions: dimensions)
        for i in function.inputs.indices { function.inputs[i].type = types[i] }
        function.outputs = []
        function.updates = []
        var made: [(node: Int, name: String)] = []
        for (i, node) in function.nodes.enumerated() {
            for output in 0..<node.op.outputCount {
                let local = function.inputs.count + made.count
                made.append((i, output == 0 ? node.name : "\(node.name)#\(output)"))
                function.outputs.append(FunctionOutput("value_\(local)", .local(local), types[local]))
            }
        }
        probe.functions = [function]
        var options = SessionOptions()
        options.isa = isa
        options.threads = threads
        let session = try Session(try ApusRuntime.Model(probe), options)
        defer { session.destroy() }
        for (i, input) in inputs.enumerated() { try session.set(input: i, input) }
        try session.run()
        var values: [Value] = []
        for (i, entry) in made.enumerated() {
            values.append(
                Value(
                    node: entry.name, operation: function.nodes[entry.node].operation,
                    tensor: try session.tensor(output: i)))
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
