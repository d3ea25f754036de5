import ApusGraph

/// Nodes whose outputs nothing reads, then constants that no node and no output reads. States stay: they are part of
/// what a session saves.
let removeUnusedPass = RewritePass("remove-unused", "nodes and constants that nothing reads → nothing") {
    graph, _ throws(ApusError) in
    try graph.removeUnread()
}

extension Graph {
    /// Removes nodes, then constants, that nothing reads; returns how many.
    @discardableResult
    public func removeUnread() throws(ApusError) -> Int {
        let nodes = try rewriteFunctions { editor throws(ApusError) in editor.removeUnreadNodes() }
        return nodes + removeUnusedConstants()
    }

    fileprivate func removeUnusedConstants() -> Int {
        var isRead = [Bool](repeating: false, count: constants.count)
        visitOperands { if case .constant(let i) = $0 { isRead[i] = true } }
        var numbers: [Int] = []
        var next = 0
        for read in isRead {
            numbers.append(next)
            if read { next += 1 }
        }
        visitOperands { if case .constant(let i) = $0 { $0 = .constant(numbers[i]) } }
        let removed = constants.count - next
        constants = constants.indices.filter { isRead[$0] }.map { constants[$0] }
        return removed
    }

    /// Every operand that a node or an output reads.
    func visitOperands(_ body: (inout Operand) -> Void) {
        for f in functions.indices {
            for n in functions[f].nodes.indices {
                for i in functions[f].nodes[n].inputs.indices { body(&functions[f].nodes[n].inputs[i]) }
            }
            for o in functions[f].outputs.indices { body(&functions[f].outputs[o].operand) }
        }
    }
}
