import ApusGraph

/// Reverse-mode differentiation as a rewrite: the nodes that compute gradients are appended to the same function.
enum Backward {
    /// The gradients of a scalar with respect to `targets`, times `factor`, a scalar of its type; nil where the scalar does not
    /// depend on one.
    static func gradients(
        of scalar: Value, times factor: Value? = nil, for targets: [Value], in builder: GraphBuilder
    ) throws(ApusError) -> [Value?] {
        var pass = Pass(builder, targets)
        return try pass.run(from: scalar, factor, targets)
    }

    private struct Pass {
        let builder: GraphBuilder
        /// The nodes of the forward pass and the local that each one's outputs start at.
        let nodes: [Node]
        let firstOutputs: [Int]
        /// Per local: whether a target flows into it.
        var depends: [Bool]
        var constants: [Bool]
        var states: [Bool]
        var arrived: [Int: Value] = [:]
        var arrivedAtConstant: [Int: Value] = [:]
        var arrivedAtState: [Int: Value] = [:]

        init(_ builder: GraphBuilder, _ targets: [Value]) {
            self.builder = builder
            nodes = builder.function.nodes
            var next = builder.function.inputs.count
            var firstOutputs: [Int] = []
            for node in nodes {
                firstOutputs.append(next)
                next += node.op.outputCount
            }
            self.firstOutputs = firstOutputs
            depends = [Bool](repeating: false, count: next)
            constants = [Bool](repeating: false, count: builder.graph.constants.count)
            states = [Bool](repeating: false, count: builder.graph.states.count)
            for target in targets {
                switch target.operand {
                case .constant(let i): constants[i] = true
                case .state(let i): states[i] = true
                case .local(let i): depends[i] = true
                }
            }
            for (index, node) in nodes.enumerated() where dependence(node).contains(true) {
                for output in 0..<node.op.outputCount { depends[firstOutputs[index] + output] = true }
            }
        }

        /// Per input whether a target flows into the node through it; none does through one that only lends its type.
        func dependence(_ node: Node) -> [Bool] {
            node.inputs.enumerated().map { $0 < node.op.inputsRead && dependsOnTarget($1) }
        }

        func dependsOnTarget(_ operand: Operand) -> Bool {
            switch operand {
            case .constant(let i): constants[i]
            case .state(let i): states[i]
            case .local(let i): depends[i]
            }
        }

        mutating func run(from scalar: Value, _ factor: Value?, _ targets: [Value]) throws(ApusError) -> [Value?] {
            guard scalar.shape.count == 1, scalar.type.dtype.isFloat else {
                throw .shape("the gradient of \(scalar.type), wanted one float")
            }
            defer { builder.prefix = "" }
            var seed = factor
            if seed == nil { seed = try builder.scalar(1, scalar.type.dtype) }
            if let seed { try arrive(seed, at: scalar.operand) }
            for (index, node) in nodes.enumerated().reversed() {
                let outputs = (0..<node.op.outputCount).map { firstOutputs[index] + $0 }
                guard outputs.contains(where: { arrived[$0] != nil && depends[$0] }) else { continue }
                let wanted = dependence(node)
                guard wanted.contains(true) else { continue }
                let gradient = Gradient(
                    builder: builder, inputs: node.inputs.map { builder.value($0) },
                    outputs: outputs.map { builder.local($0) }, outputGradients: outputs.map { arrived[$0] },
                    wanted: wanted)
                builder.prefix = "gradient/\(node.name)/"
                do throws(ApusError) {
                    let gradients = try node.op.gradient(gradient)
                    for (input, value) in gradients.enumerated() where wanted[input] {
                        if let value { try arrive(value, at: node.inputs[input]) }
                    }
                } catch {
                    throw error.within("gradient of '\(node.name)' (\(node.op.name))")
                }
            }
            return targets.map { target in
                switch target.operand {
                case .constant(let i): arrivedAtConstant[i]
                case .state(let i): arrivedAtState[i]
                case .local(let i): arrived[i]
                }
            }
        }

        /// Several gradients that arrive at one value add up.
        private mutating func arrive(_ value: Value, at operand: Operand) throws(ApusError) {
            func sum(_ old: Value?) throws(ApusError) -> Value {
                guard let old else { return value }
                return try builder(.add, old, value)
            }
            switch operand {
            case .constant(let i): arrivedAtConstant[i] = try sum(arrivedAtConstant[i])
            case .state(let i): arrivedAtState[i] = try sum(arrivedAtState[i])
            case .local(let i): arrived[i] = try sum(arrived[i])
            }
        }
    }
}
