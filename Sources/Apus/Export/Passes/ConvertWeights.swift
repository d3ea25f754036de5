import ApusGraph
import CKernels

/// Weights in panels, or that would be packed into them, as f16, bf16 or f32: those that every reader takes in that
/// type, but for those of nodes that keep theirs. Does nothing unless a type is asked for.
let convertWeightsPass = RewritePass("convert-weights", "weights → the element type asked for") {
    graph, options throws(ApusError) in
    guard let dtype = options.weights else { return 0 }
    guard dtype == .f32 || dtype == .f16 || dtype == .bf16 else {
        throw .argument("weights of \(dtype.name), wanted f32, f16 or bf16")
    }
    let types = try graph.localTypes()
    let kept = graph.constants(readBy: options.keepFloat)
    var changes = 0
    for index in graph.constants.indices where !kept.contains(index) {
        let old = graph.constants[index]
        guard [.f32, .f16, .bf16].contains(old.type.dtype), old.type.dtype != dtype else { continue }
        var new = old
        if new.type.layout == .plain, let layout = graph.agreedLayout(ofConstant: index) {
            new = try Packing.pack(new, as: layout)
        }
        new = try Packing.cast(new, to: dtype)
        graph.constants[index] = new
        if try graph.readersAccept(constant: index, types) { changes += 1 } else { graph.constants[index] = old }
    }
    return changes
}

extension Graph {
    /// Those that nodes of some names read.
    fileprivate func constants(readBy names: Set<String>) -> Set<Int> {
        var found: Set<Int> = []
        for function in functions {
            for node in function.nodes where names.contains(node.name) {
                for case .constant(let index) in node.inputs { found.insert(index) }
            }
        }
        return found
    }

    /// Per function the types of its locals with every symbolic dimension at its largest.
    fileprivate func localTypes() throws(ApusError) -> [[TensorType]] {
        let valid = try ValidGraph(validating: self)
        var types: [[TensorType]] = []
        for index in functions.indices { types.append(try valid.types(ofFunction: index, dimensions: maxima)) }
        return types
    }

    /// Every node that reads the constant makes what it made before, and has a kernel for the constant's type; no
    /// output reads it.
    fileprivate func readersAccept(constant: Int, _ locals: [[TensorType]]) throws(ApusError) -> Bool {
        for (function, locals) in zip(functions, locals) {
            if function.outputs.contains(where: { $0.operand == .constant(constant) }) { return false }
            var made = function.inputs.count
            for node in function.nodes {
                let before = locals[made..<made + node.op.outputCount]
                made += node.op.outputCount
                guard node.inputs.contains(.constant(constant)) else { continue }
                let inputs = node.inputs.map { operand in
                    switch operand {
                    case .constant(let i): constants[i].type
                    case .state(let i): states[i].type
                    case .local(let i): locals[i]
                    }
                }
                do throws(ApusError) {
                    let outputs = try node.op.outputTypes(inputs)
                    guard outputs.elementsEqual(before) else { return false }
                    _ = try node.op.kernels(
                        KernelSite(inputs: inputs, outputs: outputs, isa: CK_ISA_REFERENCE, lanes: 1))
                } catch {
                    return false
                }
            }
        }
        return true
    }
}
