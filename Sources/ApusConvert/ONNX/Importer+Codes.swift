import ApusGraph

/// What of an import is about codes.
extension Importer {
    /// What an input of int8 stands for, where every node that reads it dequantizes it by the same known scale.
    func codeScale(ofInput input: OnnxValueInfo, _ type: TensorType) -> CodeScale? {
        let readers = model.graph.nodes.filter { $0.inputs.contains(input.name) }
        guard type.dtype == .i8, let first = readers.first, !model.graph.outputs.contains(where: { $0.name == input.name }),
            readers.allSatisfy({ $0.op == "DequantizeLinear" && $0.inputs == first.inputs }), first.inputs.count >= 2
        else { return nil }
        func known(_ place: Int) -> Constant? {
            guard place < first.inputs.count else { return nil }
            return model.graph.initializers.first { $0.name == first.inputs[place] }?.constant
        }
        guard let scale = known(1), scale.type.dtype == .f32, scale.type.shape.count == 1,
            let number = try? scale.elements()[0], number > 0, number.isFinite
        else { return nil }
        if first.inputs.count == 2 { return CodeScale(scale: Float(number)) }
        guard let zero = known(2), zero.type.dtype == .i8, zero.type.shape.count == 1, let value = try? zero.integers()[0] else {
            return nil
        }
        return CodeScale(scale: Float(number), zeroPoint: Int32(value))
    }

    /// A call of a function that stands for an operator; false where it is another.
    func importOwn(_ node: OnnxNode, _ scope: Scope) throws(ApusError) -> Bool {
        var inputs: [ImportedValue?] = []
        for name in node.inputs {
            guard case .value(let value)? = scope.find(name) else { return false }
            inputs.append(value)
        }
        emitter.builder.prefix = node.label.prefix(256) + "/"
        let context = NodeContext(node, version: OwnFunction.version, inputs, emitter, self, scope)
        guard let values = try importOwnFunction(context) else { return false }
        bind(values, node, scope, sources: Importer.sources(inputs))
        return true
    }

    /// What an operator of Microsoft's or one of known scales is short for can be imported in its place.
    func isExpandable(_ node: OnnxNode, _ scope: Scope) -> Bool {
        scope.operatorSets[""] != nil
            && (!node.domain.isEmpty
                || [1, 4].allSatisfy { place in
                    if case .value(let scale)? = scope.find(node.inputs[place]) {
                        return scale.known?.count == 1 && (place == 4 || scale.shape.count == 1)
                    }
                    return false
                })
    }

    /// By the operator's integer rule, where it has one that applies.
    func mapped(_ mapping: OnnxOperator, _ context: NodeContext) throws(ApusError) -> [ImportedValue] {
        guard context.node.domain.isEmpty, let rule = integerRules[context.node.op] else { return try mapping.map(context) }
        do throws(ApusError) {
            if let values = try rule(context) {
                hasCodes = true
                return values
            }
        } catch {
            guard error.code == .unsupported || error.code == .badShape, !budget.isSpent else { throw error }
        }
        return try mapping.map(context)
    }
}
