import ApusGraph

/// One direction of com.microsoft.DynamicQuantizeLSTM's W or R: codes [K, gates·hidden] without their zero points, and a scale
/// for each column. Where they fit 8 bits they stay codes, of a DynamicDense or of the layer's state; else they are real numbers.
struct QuantizedColumns {
    private let name: String
    private let shape: Shape
    private let codes: [Int]
    private let scales: [Float]

    /// `order`: ONNX's place of each gate of Apus.
    init(
        _ n: NodeContext, _ input: Int, scales scalesInput: Int, zeros zerosInput: Int, direction: Int, order: [Int],
        hidden: Int
    ) throws(ApusError) {
        let w = try n.known(input), all = try n.known(scalesInput).tensor.array(of: Float.self)
        let zeros = n.has(zerosInput) ? try n.known(zerosInput).integers() : [0]
        let columns = order.count * hidden, directions = w.type.shape[0], rows = w.type.shape[1]
        guard w.type.shape.rank == 3, w.type.shape[2] == columns, direction < directions,
            [directions, directions * columns].contains(all.count), [1, directions, directions * columns].contains(zeros.count)
        else {
            throw .file(
                "weights \(w.type) with \(all.count) scales and \(zeros.count) zero points, wanted [directions, K, \(columns)] and one "
                    + "for each direction or column")
        }
        let values = try w.integers()
        let places = order.flatMap { gate in (gate * hidden)..<((gate + 1) * hidden) }
        func part<T>(_ list: [T], _ column: Int) -> T {
            list.count == 1 ? list[0] : list.count == directions ? list[direction] : list[direction * columns + column]
        }
        name = w.name
        shape = [rows, columns]
        scales = places.map { part(all, $0) }
        codes = (0..<rows).flatMap { row in
            places.map { values[(direction * rows + row) * columns + $0] - part(zeros, $0) }
        }
    }

    private var weights: DynamicWeights? { DynamicWeights(name, codes, shape) }

    private func real() throws(ApusError) -> Constant {
        let values = codes.enumerated().map { Double($1) * Double(scales[$0 % scales.count]) }
        return try Constant(name, .f32, shape.dimensions, values)
    }

    /// x·W + bias.
    func product(_ x: Term, _ bias: Term?, _ g: Emitter) throws(ApusError) -> Term {
        if let weights { return try weights.product(x, scales, bias, g) }
        return try g.emit(Dense(hasBias: bias != nil), [x, g.constant(try real())] + [bias].compactMap { $0 })[0]
    }

    /// What a layer multiplies its state by.
    func state(_ g: Emitter) throws(ApusError) -> (operands: [Term], product: StateProduct) {
        if let weights { return (weights.operands(scales, g), .dynamic) }
        let gates = try g.reshape(g.constant(try real()), [shape[0], -1, shape[0]])
        return ([try g.transpose(gates, [1, 0, 2])], .real)
    }
}
