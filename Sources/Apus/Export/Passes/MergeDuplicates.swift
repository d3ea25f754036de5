import ApusGraph
import CModelFormat

/// Nodes of the same operator on the same operands, and constants of the same bytes. Every operator is a function of its
/// operands (random ones draw from a counter they are given), and states change only after a run.
let mergeDuplicatesPass = RewritePass("merge-duplicates", "equal nodes, equal constants → the first of them") {
    graph, _ throws(ApusError) in
    var changes = mergeConstants(graph)
    changes += try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        var first: [[UInt8]: Int] = [:]
        for place in editor.nodes {
            let key = encoded(editor[place])
            guard let earlier = first[key] else {
                first[key] = place
                continue
            }
            for i in 0..<editor[place].op.outputCount {
                _ = editor.replace(editor.output(of: place, i), with: editor.output(of: earlier, i))
            }
            editor.remove(place)
            changes += 1
        }
        return changes
    }
    return changes
}

/// Makes readers of equal constants read the first; the others are left unused.
private func mergeConstants(_ graph: Graph) -> Int {
    var first: [ConstantKey: Int] = [:]
    var replacement = Array(graph.constants.indices)
    for (i, constant) in graph.constants.enumerated() {
        let key = ConstantKey(constant)
        if let earlier = first[key] { replacement[i] = earlier } else { first[key] = i }
    }
    graph.visitOperands { if case .constant(let i) = $0 { $0 = .constant(replacement[i]) } }
    return replacement.indices.count { replacement[$0] != $0 }
}

/// Equal where the bytes are that elements come from, which large constants need not be made for.
private struct ConstantKey: Hashable {
    private let constant: Constant
    private let digest: Int

    init(_ constant: Constant) {
        self.constant = constant
        var hasher = Hasher()
        hasher.combine(bytes: StoredBytes(constant).bytes)
        digest = hasher.finalize()
        constant.storage.discard()
    }

    static func == (a: ConstantKey, b: ConstantKey) -> Bool {
        guard a.constant.type == b.constant.type, a.digest == b.digest else { return false }
        let first = StoredBytes(a.constant), second = StoredBytes(b.constant)
        return first.isTransposed == second.isTransposed && first.bytes.elementsEqual(second.bytes)
    }

    func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}

/// The node as a file would hold it, its name left out.
private func encoded(_ node: Node) -> [UInt8] {
    let wire = WireArena()
    var message = Apus__Node()
    apus__node__init(&message)
    node.op.encode(to: &message, wire)
    message.operator_case = node.op.entry.code
    var numbers: [UInt32] = []
    for operand in node.inputs {
        switch operand {
        case .constant(let i): numbers += [0, UInt32(i)]
        case .state(let i): numbers += [1, UInt32(i)]
        case .local(let i): numbers += [2, UInt32(i)]
        }
    }
    message.n_inputs = numbers.count
    message.inputs = wire.array(numbers)
    var bytes = [UInt8](repeating: 0, count: apus__node__get_packed_size(&message))
    apus__node__pack(&message, &bytes)
    return bytes
}
