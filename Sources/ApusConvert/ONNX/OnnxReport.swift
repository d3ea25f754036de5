import Apus
import ApusGraph

/// What keeps a model from being imported from ONNX or exported to it: every part of it that is in the way.
public struct OnnxBlocked: Error, Sendable {
    public let blocks: [OnnxBlock]
}

/// One node or input in the way.
public struct OnnxBlock: Encodable, Sendable {
    /// The node's or the input's name.
    public let name: String
    public let op: String
    /// Of the operator set; 0 for an input, and for a node of Apus.
    public let version: Int
    /// The types of the node's inputs, "?" behind another node in the way.
    public let shapes: [String]
    public let reason: String
    public let suggestion: String
    /// Inputs of the model which, fixed, would let the node be imported.
    public let fix: [String]

    init(node: OnnxNode, version: Int, shapes: [String], reason: String, fix: [String]) {
        name = node.label
        op = node.domain.isEmpty ? node.op : "\(node.domain).\(node.op)"
        self.version = version
        self.shapes = shapes
        self.reason = reason
        self.fix = fix
        suggestion =
            fix.isEmpty
            ? "export the model with other operators, or leave the node out"
            : fix.map { "--fix \($0)=\($0).npy" }.joined(separator: " ") + " makes the input a constant"
    }

    /// A node of Apus that cannot be exported; inputs of `types`.
    init(node: Node, types: [TensorType], reason: String) {
        self.init(
            name: node.name, op: node.op.name, shapes: types.map { $0.description }, reason: reason,
            suggestion: "export a function without it")
    }

    /// A state that a function to be exported changes.
    init(state: String, function: String) {
        self.init(
            name: state, op: "state", shapes: [], reason: "function '\(function)' changes it, and ONNX has no states",
            suggestion: "export a function that only reads it")
    }

    private init(name: String, op: String, shapes: [String], reason: String, suggestion: String) {
        self.name = name
        self.op = op
        version = 0
        self.shapes = shapes
        self.reason = reason
        self.suggestion = suggestion
        fix = []
    }

    init(input: OnnxValueInfo, reason: String) {
        self.init(
            name: input.name, op: "input", shapes: [], reason: reason,
            suggestion: "export the model with another type of input")
    }
}

extension OnnxBlocked {
    /// A line a block.
    public var text: String {
        blocks.map { block in
            "\(block.name): \(block.op)\(block.version > 0 ? " (version \(block.version))" : "") ".printable
                + "[\(block.shapes.joined(separator: ", "))]: \(block.reason); \(block.suggestion)".printable + "\n"
        }.joined()
    }
}
