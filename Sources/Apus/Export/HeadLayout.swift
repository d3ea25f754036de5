import ApusGraph

/// x [N, T, count · size], whose elements a value in heads, such as [N, count, T, size], takes by transposes, and by reshapes
/// that add or drop extents of 1; or which is made of such a value.
struct HeadLayout {
    let count: Int
    /// The types of x.
    let types: TypeBounds
    /// What the value has x's elements multiplied by.
    private(set) var scale = 1.0
    /// x, or what x is made of by the nodes `making`, one after the other.
    private var source: Operand
    private var making: [Operator] = []

    /// Of [N, count, T, size], or transposed [N, count, size, T], heads repeated in a row counted once.
    static func of(_ operand: Operand, transposed: Bool = false, isScaled: Bool, _ editor: FunctionEditor) -> HeadLayout? {
        if let found = HeadLayout(operand, transposed ? [0, 3, 1, 2] : [0, 2, 1, 3], isScaled: isScaled, editor) { return found }
        var scale = 1.0, heads = operand
        if isScaled {
            let whole = editor.factors(operand)
            guard whole.operands.count == 1 else { return nil }
            (scale, heads) = (whole.coefficient, whole.operands[0])
        }
        if transposed {
            guard let rows = HeadLayout.transposed(heads, editor) else { return nil }
            heads = rows
        }
        heads = HeadLayout.unrepeated(heads, editor)
        guard var found = HeadLayout(heads, [0, 2, 1, 3], isScaled: isScaled, editor) ?? HeadLayout(joining: heads, editor)
        else { return nil }
        found.scale *= scale
        return found
    }

    /// Of [N, count, T, size], from whatever it comes.
    private init?(joining heads: Operand, _ editor: FunctionEditor) {
        let shape = editor.type(of: heads).shape, smallest = editor.smallestType(of: heads).shape
        guard shape.rank == 4, shape[1] == smallest[1] else { return nil }
        count = shape[1]
        types = HeadLayout.joined(editor.types(of: heads), [0, 2, 1, 3])
        source = heads
        making = [Transpose([0, 2, 1, 3]), ApusGraph.Reshape([0, 0, types.largest.shape[2]])]
    }

    /// Of a value of rank 4, whose axes in this order are N, T, heads and size; `isScaled`: numbers that it is multiplied by on
    /// the way are its scale.
    private init?(_ operand: Operand, _ order: [Int], isScaled: Bool, _ editor: FunctionEditor) {
        let shape = editor.type(of: operand).shape
        guard shape.rank == 4 else { return nil }
        types = HeadLayout.joined(editor.types(of: operand), order)
        count = shape[order[2]]
        source = operand
        let wanted = order.filter { shape[$0] != 1 }
        var trail = AxisTrail(operand, editor)
        var found: (source: Operand, scale: Double, view: ApusGraph.Reshape?)?
        while true {
            if isScaled { scale *= trail.skipScale(editor) }
            if trail.axes == wanted, let x = editor.node(trail.operand, ApusGraph.Reshape([]))?.inputs[0],
                editor.types(of: x) == types
            {
                found = (x, scale, nil)
                break
            }
            guard trail.step(editor) else { break }
            if found == nil, trail.axes == wanted,
                let op = ApusGraph.Reshape(from: editor.types(of: trail.operand), to: types)
            {
                found = (trail.operand, scale, op)
            }
        }
        guard let found else { return nil }
        (source, scale) = (found.source, found.scale)
        making = found.view.map { [$0] } ?? []
        guard isScaled else { return }
        trail = AxisTrail(source, editor)
        scale *= trail.skipScale(editor)
        source = trail.operand
    }

    /// x, in nodes of its own where it needs some.
    func written(to editor: inout FunctionEditor, before place: Int, name: String) throws(ApusError) -> Operand {
        var x = source
        for (index, op) in making.enumerated() {
            let isLast = index == making.count - 1
            x = try editor.insert(Node(isLast ? name : name + "/rows", op, [x]), before: place)
        }
        return x
    }

    /// The product [N, heads, T, size] that a value takes its elements from as N, T, heads, size; nothing else reads what the nodes
    /// in between make.
    static func joined(_ operand: Operand, _ editor: FunctionEditor) -> Operand? {
        var trail = AxisTrail(operand, editor)
        while editor.node(trail.operand, MatMul()) == nil {
            guard editor.readCount(of: trail.operand) == 1, trail.step(editor) else { return nil }
        }
        let shape = editor.type(of: trail.operand).shape
        guard shape.rank == 4 else { return nil }
        let long = (0..<4).filter { shape[$0] != 1 }
        let axes = [0, 2, 1, 3].compactMap { axis in long.firstIndex(of: axis).map { trail.axes[$0] } }
        return axes == axes.sorted() ? trail.operand : nil
    }

    /// The types of [N, T, heads · size] whose axes a value has in this order.
    private static func joined(_ bounds: TypeBounds, _ order: [Int]) -> TypeBounds {
        func joined(_ type: TensorType) -> TensorType {
            let extents = order.map { type.shape[$0] }
            return TensorType(type.dtype, [extents[0], extents[1], extents[2] &* extents[3]])
        }
        return TypeBounds(largest: joined(bounds.largest), smallest: joined(bounds.smallest))
    }

    /// x [N, G, T, size] of each of its heads repeated in a row: reshaped to [N, G, 1, T, size], expanded, and reshaped to
    /// [N, count, T, size]; else the operand.
    private static func unrepeated(_ operand: Operand, _ editor: FunctionEditor) -> Operand {
        guard let many = editor.node(operand, ApusGraph.Reshape([]))?.inputs[0],
            let one = editor.node(many, Expand([]))?.inputs[0], let x = editor.node(one, ApusGraph.Reshape([]))?.inputs[0]
        else { return operand }
        for type in [editor.type(of:), editor.smallestType(of:)] {
            let from = type(x).shape, expanded = type(many).shape
            guard from.rank == 4, expanded.rank == 5, type(one).shape == [from[0], from[1], 1, from[2], from[3]],
                expanded == [from[0], from[1], expanded[2], from[2], from[3]],
                type(operand).shape == [from[0], from[1] * expanded[2], from[2], from[3]]
            else { return operand }
        }
        return x
    }

    /// x [N, count, T, size] of its transpose [N, count, size, T], made in three dimensions or in four.
    private static func transposed(_ operand: Operand, _ editor: FunctionEditor) -> Operand? {
        func source(_ operand: Operand, _ permutation: [Int]) -> Operand? {
            guard let node = editor.node(operand, Transpose(permutation)), (node.op as? Transpose)?.permutation == permutation
            else { return nil }
            return node.inputs[0]
        }
        if let x = source(operand, [0, 1, 3, 2]) { return x }
        /// A value and those that reshapes make it of.
        func sources(_ operand: Operand) -> [Operand] {
            guard let source = editor.node(operand, ApusGraph.Reshape([]))?.inputs[0] else { return [operand] }
            return [operand] + sources(source)
        }
        guard let rows = source(sources(operand).last!, [0, 2, 1]) else { return nil }
        return sources(rows).first { x in
            [editor.type(of:), editor.smallestType(of:)].allSatisfy { type in
                let from = type(x).shape, flat = type(rows).shape
                return from.rank == 4 && flat[1] == from[2] && flat[2] == from[3]
                    && type(operand).shape == [from[0], from[1], from[3], from[2]]
            }
        }
    }
}

/// The way back from a value through transposes and through reshapes that add or drop extents of 1.
private struct AxisTrail {
    private(set) var operand: Operand
    /// For every axis of the operand that is longer than 1, in order, the axis of the value where the way began.
    private(set) var axes: [Int]

    init(_ operand: Operand, _ editor: FunctionEditor) {
        self.operand = operand
        axes = AxisTrail.long(editor.type(of: operand)).indices
    }

    /// Past numbers that the operand is multiplied by, and their product.
    mutating func skipScale(_ editor: FunctionEditor) -> Double {
        let whole = editor.factors(operand)
        guard whole.operands.count == 1, editor.types(of: whole.operands[0]) == editor.types(of: operand) else { return 1 }
        operand = whole.operands[0]
        return whole.coefficient
    }

    /// One node back, if it is such a node.
    mutating func step(_ editor: FunctionEditor) -> Bool {
        guard let place = editor.maker(of: operand), let input = editor[place].inputs.first else { return false }
        let made = editor.types(of: operand), read = editor.types(of: input)
        if let transpose = editor[place].op as? ApusGraph.Transpose {
            let long = AxisTrail.long(made.largest).indices.map { transpose.permutation[$0] }
            axes = long.indices.sorted { long[$0] < long[$1] }.map { axes[$0] }
        } else {
            guard editor[place].op is ApusGraph.Reshape, AxisTrail.long(made.largest).extents == AxisTrail.long(read.largest).extents,
                AxisTrail.long(made.largest).indices.map({ made.smallest.shape[$0] })
                    == AxisTrail.long(read.largest).indices.map({ read.smallest.shape[$0] })
            else { return false }
        }
        operand = input
        return true
    }

    /// The axes that are longer than 1.
    private static func long(_ type: TensorType) -> (indices: [Int], extents: [Int]) {
        let indices = (0..<type.shape.rank).filter { type.shape[$0] != 1 }
        return (indices, indices.map { type.shape[$0] })
    }
}
