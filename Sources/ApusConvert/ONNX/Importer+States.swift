import ApusGraph

/// Inputs of a model that become states of a session, each of which takes what an output gave.
extension Importer {
    func checkStates() throws(ApusError) {
        for (input, output) in options.states.sorted(by: { $0.key < $1.key }) {
            guard model.graph.inputs.contains(where: { $0.name == input }) else {
                throw .argument("no input '\(input)' to keep as a state")
            }
            guard model.graph.outputs.contains(where: { $0.name == output }) else {
                throw .argument("no output '\(output)' for state '\(input)' to take")
            }
            guard options.fixed[input] == nil else { throw .argument("input '\(input)' fixed and a state, wanted one of them") }
        }
        let outputs = model.graph.outputs.map { $0.name }
        guard options.states.isEmpty || !Set(outputs).isSubset(of: options.states.values) else {
            throw .argument("all outputs taken by states, wanted one that is not")
        }
    }

    /// It begins with the value that the file has for the input, if any.
    func declareState(_ name: String, _ type: TensorType) throws(ApusError) -> Term {
        let initial = model.graph.initializers.first { $0.name == name }?.constant
        let term = try emitter.state(name, type, .memory, initial: initial)
        guard term.isFixed else {
            let dimension = type.shape.dimensions.first { $0 < 0 }.map { emitter.graph.dimensions[-1 - $0].name } ?? ""
            throw .argument("state '\(name)' \(term.types[0]) of a symbolic size, wanted one size: --dim \(dimension)=1")
        }
        if let initial, initial.type != term.types[0] {
            throw .argument("state '\(name)' \(term.types[0]) with a value \(initial.type) in the file")
        }
        return term
    }

    func updateStates(_ scope: Scope) throws(ApusError) {
        let context = NodeContext(OnnxNode(), version: 0, [], emitter, self, scope)
        for (index, state) in emitter.graph.states.enumerated() {
            guard let output = options.states[state.name], state.role == .memory else { continue }
            guard case .value(let value)? = scope.find(output) else { throw .file("output '\(output)', which no node makes") }
            let term = try context.term(value)
            guard term.isFixed, term.types[0] == state.type else {
                throw .argument("output '\(output)' \(term.types[0]) for state '\(state.name)', wanted \(state.type)")
            }
            do throws(ApusError) { try emitter.builder.update(state: index, to: term.value) } catch {
                throw error.within("output '\(output)'")
            }
        }
    }
}
