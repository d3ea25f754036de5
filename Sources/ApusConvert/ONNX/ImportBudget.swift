import ApusGraph

/// How much an import may do, whatever the file says: a few bytes can call functions of functions, run loops, and name
/// shapes of any size. Models of any practical size stay far below.
public struct ImportLimits: Sendable {
    /// Nodes of ONNX that are looked at, those of loops and functions as often as they are.
    public var onnxNodes = 1 << 16
    /// Nodes of Apus that these become, or that are run to compute what is known.
    public var nodes = 1 << 18
    /// Bytes of one value that is computed at conversion.
    public var valueBytes = 1 << 30
    /// Bytes of all of them beyond four times the model's weights.
    public var bytes = 1 << 31
    /// Arithmetic operations at conversion.
    public var operations = 1 << 36

    public init() {}
}

/// What is left of an import's limits.
final class ImportBudget {
    let valueBytes: Int
    /// Whether a limit has been reached: nothing more is to be imported.
    private(set) var isSpent = false
    private var onnxNodes, nodes, bytes, operations: Int

    init(_ limits: ImportLimits, weightBytes: Int = 0) {
        valueBytes = limits.valueBytes
        onnxNodes = limits.onnxNodes
        nodes = limits.nodes
        bytes = limits.bytes + 4 * min(weightBytes, 1 << 44)
        operations = limits.operations
    }

    func spendOnnxNode() throws(ApusError) { try spend(1, \.onnxNodes, "nodes of ONNX") }
    func spendNode() throws(ApusError) { try spend(1, \.nodes, "nodes that these become") }
    func spend(operations: Int) throws(ApusError) {
        try spend(operations, \.operations, "operations on known values")
    }

    func spend(bytes: Int) throws(ApusError) {
        guard bytes <= valueBytes else {
            throw .unsupported("a known value of \(bytes) bytes, wanted at most \(valueBytes)")
        }
        try spend(bytes, \.bytes, "bytes of known values")
    }

    private func spend(_ amount: Int, _ rest: ReferenceWritableKeyPath<ImportBudget, Int>, _ what: StaticString) throws(ApusError) {
        guard amount <= self[keyPath: rest] else {
            isSpent = true
            throw .unsupported("too many \(what.description) at conversion")
        }
        self[keyPath: rest] -= amount
    }
}
