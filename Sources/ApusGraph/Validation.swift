/// A graph whose every rule has been checked; types are trusted from here on.
///
/// Rules: operands refer to earlier values; every shape rule holds with all symbolic dimensions at their minimum and at
/// their maximum; declared output types are the inferred ones; constants are as long as their types; an updated state
/// takes a value of its own type, made by a node; one node at most measures a dimension, and no input has such an extent.
public final class ValidGraph: @unchecked Sendable {
    public let graph: Graph

    public convenience init(validating graph: Graph) throws(ApusError) {
        self.init(unchecked: graph)
        try check()
    }

    /// A class whose designated initializer throws leaks the object in Embedded Swift; so this one does not.
    private init(unchecked graph: Graph) { self.graph = graph }

    private func check() throws(ApusError) {
        let isMeasured = graph.measuredDimensions
        for symbol in graph.dimensions {
            guard symbol.minimum >= 0 && symbol.minimum <= symbol.maximum && symbol.maximum <= Shape.maximumExtent
            else {
                throw .file(
                    "dimension '\(symbol.name)' from \(symbol.minimum) to \(symbol.maximum), wanted 0 ≤ min ≤ max")
            }
        }
        try checkMeasures()
        for constant in graph.constants { try ValidGraph.check(constant) }
        for state in graph.states {
            try ValidGraph.named("state '\(state.name)'") { () throws(ApusError) in try state.type.check() }
            if let initial = state.initial {
                guard initial.type == state.type else {
                    throw .file("state '\(state.name)': initial value of type \(initial.type), wanted \(state.type)")
                }
                try ValidGraph.check(initial)
            }
        }
        guard !graph.functions.isEmpty else { throw .file("no function, wanted 1 or more") }
        let minima = graph.dimensions.map { $0.minimum }
        for index in graph.functions.indices {
            let function = graph.functions[index]
            try ValidGraph.named("function '\(function.name)'") { () throws(ApusError) in
                for input in function.inputs {
                    for extent in input.type.shape.dimensions where extent < 0 && -1 - extent < isMeasured.count {
                        guard !isMeasured[-1 - extent] else {
                            throw .file("input '\(input.name)' has an extent that the model measures")
                        }
                    }
                }
                let types = try self.types(ofFunction: index, dimensions: graph.maxima)
                if !graph.dimensions.isEmpty { _ = try self.types(ofFunction: index, dimensions: minima) }
                try self.checkUpdates(function, types)
            }
        }
        for golden in graph.goldens { try checkGolden(golden) }
    }

    /// A second value of a dimension would not fit what was planned for the first.
    private func checkMeasures() throws(ApusError) {
        var measured = [Bool](repeating: false, count: graph.dimensions.count)
        for function in graph.functions {
            for node in function.nodes {
                guard let dimension = node.op.measuredDimension, dimension < measured.count else { continue }
                guard !measured[dimension] else {
                    throw .file("node '\(node.name)' measures dimension '\(graph.dimensions[dimension].name)' again")
                }
                measured[dimension] = true
            }
        }
    }

    /// The types of a function's locals for given values of the symbolic dimensions, declared types included in the
    /// check.
    public func types(ofFunction index: Int, dimensions: [Int]) throws(ApusError) -> [TensorType] {
        var dimensions = dimensions
        return try types(ofFunction: index, fitting: &dimensions)
    }

    /// The same; a dimension that a node measures becomes at most what the node finds room for.
    public func types(ofFunction index: Int, fitting dimensions: inout [Int]) throws(ApusError) -> [TensorType] {
        let function = graph.functions[index]
        var types: [TensorType] = []
        types.reserveCapacity(function.inputs.count + function.nodes.count)
        for input in function.inputs {
            let type = try input.type.resolved(dimensions)
            try ValidGraph.named("input '\(input.name)'") { () throws(ApusError) in try type.check() }
            types.append(type)
        }
        for node in function.nodes {
            var inputs: [TensorType] = []
            for operand in node.inputs { inputs.append(try type(of: operand, locals: types, reader: node.name)) }
            if let i = node.op.measuredDimension, i < dimensions.count, let x = inputs.first, x.shape.rank > 0 {
                dimensions[i] = min(dimensions[i], x.shape[0])
            }
            types.append(contentsOf: try node.op.checkedOutputTypes(inputs, dimensions: dimensions, node: node.name))
        }
        for output in function.outputs {
            let found = try type(of: output.operand, locals: types, reader: output.name)
            let declared = try output.type.resolved(dimensions)
            guard found == declared else {
                throw .file("output '\(output.name)' is \(found), declared as \(declared)")
            }
            guard found.layout == .plain else { throw .file("output '\(output.name)' in packed layout") }
        }
        return types
    }

    public func type(
        of operand: Operand, locals: [TensorType], reader: String
    ) throws(ApusError) -> TensorType {
        switch operand {
        case .constant(let i):
            if i >= 0 && i < graph.constants.count { return graph.constants[i].type }
        case .state(let i):
            if i >= 0 && i < graph.states.count { return graph.states[i].type }
        case .local(let i):
            if i >= 0 && i < locals.count { return locals[i] }
        }
        throw .file("'\(reader)' reads a value that is not made before it")
    }

    private func checkUpdates(_ function: Function, _ types: [TensorType]) throws(ApusError) {
        var updated = [Bool](repeating: false, count: graph.states.count)
        for update in function.updates {
            guard update.state >= 0 && update.state < graph.states.count else {
                throw .file("update of state \(update.state), wanted 0 ..< \(graph.states.count)")
            }
            let state = graph.states[update.state]
            guard update.local >= function.inputs.count && update.local < types.count else {
                throw .file("state '\(state.name)' is updated from a value that no node makes")
            }
            guard types[update.local] == state.type else {
                throw .file("state '\(state.name)' of type \(state.type) is updated with \(types[update.local])")
            }
            guard !updated[update.state] else { throw .file("state '\(state.name)' is updated twice") }
            updated[update.state] = true
        }
    }

    private func checkGolden(_ golden: Golden) throws(ApusError) {
        guard golden.function >= 0 && golden.function < graph.functions.count else {
            throw .file("golden pair of function \(golden.function), wanted 0 ..< \(graph.functions.count)")
        }
        let function = graph.functions[golden.function]
        guard golden.dimensions.count == graph.dimensions.count, golden.inputs.count == function.inputs.count,
            golden.outputs.count == function.outputs.count
        else {
            throw .file("golden pair of function '\(function.name)' with a wrong number of tensors")
        }
        for tensor in golden.inputs + golden.outputs { try ValidGraph.check(tensor) }
    }

    private static func check(_ constant: Constant) throws(ApusError) {
        try named("constant '\(constant.name)'") { () throws(ApusError) in
            try constant.type.check()
            let size = constant.type.byteSize
            guard constant.offset >= 0 && constant.offset <= constant.storage.size - size else {
                throw .file(
                    "\(size) bytes at offset \(constant.offset), wanted within \(constant.storage.size)")
            }
        }
    }

    private static func named<R>(_ place: @autoclosure () -> Message, _ body: () throws(ApusError) -> R) throws(ApusError) -> R {
        do throws(ApusError) { return try body() } catch { throw error.within(place()) }
    }
}
