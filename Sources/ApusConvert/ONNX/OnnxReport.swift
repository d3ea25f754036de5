import ApusGraph

/// What keeps a model from being imported: every part of it that is in the way.
public struct OnnxBlocked: Error, Sendable {
    public let blocks: [OnnxBlock]
}

/// One node or input in the way.
public struct OnnxBlock: Encodable, Sendable {
    /// The node's or the input's name.
    public let name: String
    public let op: String
    /// Of the operator set; 0 for an input.
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

    init(input: OnnxValueInfo, reason: String) {
        name = input.name
        op = "input"
        version = 0
        shapes = []
        self.reason = reason
        fix = []
        suggestion = "export the model with another type of input"
    }
}

extension OnnxBlocked {
    /// A line a block.
    public var text: String {
        blocks.map { block in
            "\(block.name): \(block.op)\(block.version > 0 ? " (version \(block.version))" : "")"
                + " [\(block.shapes.joined(separator: ", "))]: \(block.reason); \(block.suggestion)\n"
        }.joined()
    }
}
