import ApusGraph

/// f(transpose(x)) → transpose(f(x)) for what works element by element or along axes, so that transposes meet: two in a
/// row are one, and one that undoes the other is none. Models with channels first keep their layout at the edges only.
let pushTransposesPass = RewritePass(
    "push-transposes", "a transpose, then elementwise, concat, reduce, pad, … → the same before the transpose"
) { graph, _ throws(ApusError) in
    let valid = try ValidGraph(validating: graph)
    var changes = 0
    for index in graph.functions.indices {
        let before = try TransposeCost(valid, function: index)
        guard before.bytes > 0 else { continue }
        var pusher = try TransposePusher(valid, function: index)
        let function = graph.functions[index]
        graph.functions[index] = try pusher.pushed()
        let after = try TransposeCost(try ValidGraph(validating: graph), function: index)
        if after.bytes < before.bytes { changes += max(1, before.count - after.count) } else { graph.functions[index] = function }
    }
    return changes
}

/// How much the transposes of a function move at run time.
private struct TransposeCost {
    var count = 0, bytes = 0

    init(_ valid: ValidGraph, function index: Int) throws(ApusError) {
        let function = valid.graph.functions[index]
        let types = try valid.types(ofFunction: index, dimensions: valid.graph.maxima)
        var local = function.inputs.count
        for node in function.nodes {
            if node.op is ApusGraph.Transpose, case .local = node.inputs[0] {
                count += 1
                bytes += types[local].byteSize
            }
            local += node.op.outputCount
        }
    }
}

/// Writes a function anew, with every transpose put off until something needs its result as it is.
private struct TransposePusher {
    /// A value of the old function: `value` of the new one under a permutation still to be done; nil is none.
    private struct Pending {
        var value: Value
        var permutation: [Int]?
    }

    private let graph: Graph
    private let function: Function
    private let builder: GraphBuilder
    /// Types of the old locals with every symbolic dimension at its largest, and at its smallest.
    private let types, smallestTypes: [TensorType]
    private var locals: [Pending] = []
    private var done: [Int: Value] = [:]

    init(_ valid: ValidGraph, function index: Int) throws(ApusError) {
        graph = valid.graph
        function = graph.functions[index]
        builder = GraphBuilder(graph, function: function.name)
        types = try valid.types(ofFunction: index, dimensions: graph.maxima)
        smallestTypes = try valid.types(ofFunction: index, dimensions: graph.dimensions.map { $0.minimum })
    }

    mutating func pushed() throws(ApusError) -> Function {
        for input in function.inputs {
            locals.append(Pending(value: try builder.input(input.name, input.type, contract: input.contract)))
        }
        for node in function.nodes {
            if let transpose = node.op as? ApusGraph.Transpose {
                locals.append(composed(pending(node.inputs[0]), transpose.permutation))
            } else if let results = try moved(node) {
                locals += results
            } else {
                var inputs: [Value] = []
                for operand in node.inputs { inputs.append(try materialized(operand)) }
                locals += try builder.node(node.op, inputs, name: node.name).map { Pending(value: $0) }
            }
        }
        for output in function.outputs {
            builder.output(output.name, try materialized(output.operand), type: output.type, labels: output.labels)
        }
        for update in function.updates {
            try builder.update(state: update.state, to: try materialized(.local(update.local)))
        }
        return builder.function
    }

    // MARK: Pending values

    private func pending(_ operand: Operand) -> Pending {
        if case .local(let local) = operand { return locals[local] }
        return Pending(value: builder.value(operand))
    }

    private func composed(_ x: Pending, _ permutation: [Int]) -> Pending {
        let all = permutation.map { x.permutation?[$0] ?? $0 }
        return Pending(value: x.value, permutation: all == Array(all.indices) ? nil : all)
    }

    /// The value as the old function has it.
    private mutating func materialized(_ operand: Operand) throws(ApusError) -> Value {
        let x = pending(operand)
        guard let permutation = x.permutation, case .local(let local) = operand else { return x.value }
        if let value = done[local] { return value }
        let value = try transposed(x.value, permutation, smallest: smallestTypes[local].shape)
        done[local] = value
        return value
    }

    /// How many extents symbolic dimensions decide.
    private func symbols(_ largest: Shape, _ smallest: Shape) -> Int {
        (0..<largest.rank).count { largest[$0] != smallest[$0] }
    }

    /// Transposed; by a reshape where only extents of 1 move.
    private func transposed(_ x: Value, _ permutation: [Int], smallest: Shape) throws(ApusError) -> Value {
        let y = Shape(permutation.map { x.shape[$0] })
        let long = permutation.filter { x.shape[$0] != 1 }
        guard long == long.sorted(), symbols(y, smallest) <= 1, y.count > 0 else {
            return try builder(ApusGraph.Transpose(permutation), x)
        }
        return try builder(ApusGraph.Reshape((0..<y.rank).map { y[$0] == smallest[$0] ? y[$0] : -1 }), x)
    }

    // MARK: Nodes

    /// A node before the transposes of its inputs; nil where there are none, or it cannot be.
    private mutating func moved(_ node: Node) throws(ApusError) -> [Pending]? {
        if node.op is ApusGraph.Lookup, let permutation = pending(node.inputs[0]).permutation {
            let inputs = [pending(node.inputs[0]).value, try materialized(node.inputs[1])]
            return [Pending(value: try builder.node(node.op, inputs, name: node.name)[0], permutation: permutation)]
        }
        guard let permutation = commonPermutation(node) else { return nil }
        func axis(_ axis: Int) -> Int { permutation[axis < 0 ? axis + permutation.count : axis] }
        func axes(_ list: [Int]) -> [Int] { list.map(axis) }
        var spread = [Int](repeating: 0, count: permutation.count)
        func spreading(_ values: [Int]) -> [Int] {
            for (i, value) in values.enumerated() { spread[permutation[i]] = value }
            return spread
        }
        switch node.op {
        case is UnaryElementwise, is BinaryElementwise, is ActivationOperator, is ApusGraph.Cast, is ApusGraph.Where,
            is Quantize, is Dequantize, is QuantizedElementwise:
            return try emit(node, node.op, permutation)
        case let op as ApusGraph.Concat:
            return try emit(node, ApusGraph.Concat(axis: axis(op.axis)), permutation)
        case let op as ApusGraph.Split:
            return try emit(node, ApusGraph.Split(axis: axis(op.axis), sizes: op.sizes), permutation)
        case let op as ApusGraph.Slice:
            let slice = ApusGraph.Slice(axes: axes(op.axes), starts: op.starts, ends: op.ends, steps: op.steps)
            return try emit(node, slice, permutation)
        case let op as ApusGraph.Pad:
            let before = spreading(op.before), after = spreading(op.after)
            return try emit(node, ApusGraph.Pad(before: before, after: after, mode: op.mode, value: op.value), permutation)
        case let op as ApusGraph.Softmax:
            return try emit(node, ApusGraph.Softmax(axis: axis(op.axis)), permutation)
        case let op as ApusGraph.LogSoftmax:
            return try emit(node, ApusGraph.LogSoftmax(axis: axis(op.axis)), permutation)
        case let op as Reduction where !op.axes.isEmpty:
            let reduction = Reduction(op.rule, axes: axes(op.axes), keepDimensions: op.keepDimensions)
            let gone = op.keepDimensions ? [] : Set(axes(op.axes))
            return try emit(node, reduction, permutation, dropping: gone)
        case is ApusGraph.Reshape:
            guard let (op, gone) = dropping(node, permutation) else { return nil }
            return try emit(node, op, permutation, dropping: gone)
        default:
            return nil
        }
    }

    /// The reshape before the transpose, and the axes there that it drops, where it drops nothing but extents of 1.
    private func dropping(_ node: Node, _ permutation: [Int]) -> (ApusGraph.Reshape, Set<Int>)? {
        guard case .local(let local) = node.inputs[0], let shape = try? node.op.outputTypes([types[local]]).first?.shape else {
            return nil
        }
        var gone: Set<Int> = [], kept = 0
        for (axis, extent) in types[local].shape.dimensions.enumerated() {
            if kept < shape.rank, extent == shape[kept] {
                kept += 1
            } else if extent == 1, smallestTypes[local].shape[axis] == 1 {
                gone.insert(permutation[axis])
            } else {
                return nil
            }
        }
        guard kept == shape.rank, !gone.isEmpty else { return nil }
        /// The type before the transpose, of the axes that are left.
        func type(_ type: TensorType) -> (whole: TensorType, rest: TensorType) {
            let before = inverse(permutation).map { type.shape[$0] }
            let rest = before.indices.filter { !gone.contains($0) }.map { before[$0] }
            return (TensorType(type.dtype, Shape(before)), TensorType(type.dtype, Shape(rest)))
        }
        let largest = type(types[local]), smallest = type(smallestTypes[local])
        return ApusGraph.Reshape(
            from: TypeBounds(largest: largest.whole, smallest: smallest.whole),
            to: TypeBounds(largest: largest.rest, smallest: smallest.rest)
        ).map { ($0, gone) }
    }

    private mutating func emit(
        _ node: Node, _ op: Operator, _ permutation: [Int], dropping gone: Set<Int> = []
    ) throws(ApusError) -> [Pending] {
        var inputs: [Value] = []
        for operand in node.inputs { inputs.append(try aligned(operand, permutation)) }
        let kept = permutation.filter { !gone.contains($0) }
        let ranks = kept.map { place in place - gone.count { $0 < place } }
        let identity = ranks == Array(ranks.indices)
        return try builder.node(op, inputs, name: node.name).map { Pending(value: $0, permutation: identity ? nil : ranks) }
    }

    /// The permutation that the node's inputs are under, where no other input would have to be moved for it.
    private func commonPermutation(_ node: Node) -> [Int]? {
        let isElementwise = node.op is BinaryElementwise || node.op is ApusGraph.Where || node.op is QuantizedElementwise
        var found: [Int]?
        for operand in node.inputs {
            guard case .local = operand, let permutation = pending(operand).permutation else { continue }
            guard found == nil || found == permutation else { return nil }
            found = permutation
        }
        guard let found else { return nil }
        for operand in node.inputs where pending(operand).permutation != found {
            let shape = pending(operand).value.shape
            guard shape.rank == found.count || isElementwise && shape.rank < found.count else { return nil }
            guard case .local(let local) = operand else { continue }
            guard pending(operand).permutation == nil, isCheap(shape, found) else { return nil }
            // One symbolic extent may move by a reshape that adds axes.
            if shape.rank < found.count, symbols(shape, smallestTypes[local].shape) > 1 { return nil }
        }
        return found
    }

    /// Whether a value of a shape is moved by a reshape.
    private func isCheap(_ shape: Shape, _ permutation: [Int]) -> Bool {
        let wide = [Int](repeating: 1, count: permutation.count - shape.rank) + shape.dimensions
        let long = inverse(permutation).filter { wide[$0] != 1 }
        return long == long.sorted()
    }

    /// A value in the layout of the permutation's input.
    private mutating func aligned(_ operand: Operand, _ permutation: [Int]) throws(ApusError) -> Value {
        let x = pending(operand)
        if x.permutation != nil { return x.value }
        var value = x.value
        var smallest = value.shape
        if case .local(let local) = operand { smallest = smallestTypes[local].shape }
        if value.shape.rank == 0 { return value }
        if value.shape.rank < permutation.count {
            let missing = [Int](repeating: 1, count: permutation.count - value.shape.rank)
            let extents = (0..<smallest.rank).map { smallest[$0] == value.shape[$0] ? smallest[$0] : -1 }
            value = try builder(ApusGraph.Reshape(missing + extents), value)
            smallest = Shape(missing + smallest.dimensions)
        }
        let back = inverse(permutation)
        return try transposed(value, back, smallest: Shape(back.map { smallest[$0] }))
    }

    private func inverse(_ permutation: [Int]) -> [Int] {
        var result = permutation
        for (i, place) in permutation.enumerated() { result[place] = i }
        return result
    }
}
