import ApusGraph
import Foundation

/// GELU, SiLU and HardSwish as exporters of older operator sets write them, in any order of their factors.
let recognizeActivationsPass = RewritePass(
    "recognize-activations", "x·½(1 + erf(x/√2)), its tanh form, x·σ(x), x·clip(x + 3, 0, 6)/6, x·clip(x/6 + ½, 0, 1) → one node"
) { graph, _ throws(ApusError) in
    try graph.rewriteFunctions { editor throws(ApusError) in
        var changes = 0
        for place in editor.nodes {
            let output = editor.output(of: place)
            guard editor[place].op.outputCount == 1,
                let (activation, x) = activation(editor.factors(output), editor), editor.haveSameType(x, output)
            else { continue }
            editor[place] = Node(editor[place].name, ActivationOperator(activation), [x])
            changes += 1
        }
        if changes > 0 { _ = editor.removeUnreadNodes() }
        return changes
    }
}

private func activation(
    _ product: (coefficient: Double, operands: [Operand]), _ editor: FunctionEditor
) -> (Activation, Operand)? {
    guard product.operands.count == 2 else { return nil }
    func has(_ coefficient: Double) -> Bool { abs(product.coefficient - coefficient) <= 1e-3 * coefficient }
    for (x, gate) in [(product.operands[0], product.operands[1]), (product.operands[1], product.operands[0])] {
        if has(1), editor.activated(gate, .sigmoid) == x { return (.silu, x) }
        if has(1.0 / 6), let inner = clipped(gate, to: 6, editor), let sum = editor.sum(inner), sum.operand == x, sum.constant == 3 {
            return (.hardSwish, x)
        }
        if has(1), let inner = clipped(gate, to: 1, editor), let sum = editor.sum(inner), sum.constant == 0.5,
            editor.scaled(sum.operand, by: 1.0 / 6) == x
        {
            return (.hardSwish, x)
        }
        guard has(0.5), let sum = editor.sum(gate), sum.constant == 1 else { continue }
        if let erf = editor.node(sum.operand, .erf), editor.scaled(erf.inputs[0], by: 0.5.squareRoot()) == x {
            return (.gelu, x)
        }
        if let inner = editor.activated(sum.operand, .tanh).flatMap({ editor.scaled($0, by: (2 / Double.pi).squareRoot()) }),
            isCubic(inner, x, editor)
        {
            return (.geluTanh, x)
        }
    }
    return nil
}

/// x of clip(x, 0, maximum).
private func clipped(_ operand: Operand, to maximum: Float, _ editor: FunctionEditor) -> Operand? {
    guard let node = editor.maker(of: operand).map({ editor[$0] }), let op = node.op as? ActivationOperator else { return nil }
    switch op.activation {
    case .relu6 where maximum == 6, .clip(minimum: 0, maximum: maximum): return node.inputs[0]
    default: return nil
    }
}

/// Whether a value is x + 0.044715·x³.
private func isCubic(_ operand: Operand, _ x: Operand, _ editor: FunctionEditor) -> Bool {
    guard let inputs = editor.node(operand, .add)?.inputs else { return false }
    for (first, second) in [(inputs[0], inputs[1]), (inputs[1], inputs[0])] where first == x {
        let cube = editor.factors(second)
        guard abs(cube.coefficient - 0.044715) < 1e-5 else { continue }
        if cube.operands == [x, x, x] { return true }
        if cube.operands.count == 1, let power = editor.node(cube.operands[0], .pow), power.inputs[0] == x {
            return editor.isScalar(power.inputs[1], 3)
        }
        if cube.operands.count == 2, cube.operands.contains(x),
            let square = cube.operands.first(where: { $0 != x }), editor.squared(square) == x
        {
            return true
        }
    }
    return false
}
