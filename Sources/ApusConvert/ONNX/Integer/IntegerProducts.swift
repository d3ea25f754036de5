import ApusGraph

/// Conv, Gemm and MatMul of codes and constant codes of 8 bits; of real numbers and constant codes, those of 4 bits too.
@Sendable func integerProduct(_ n: NodeContext) throws(ApusError) -> [ImportedValue]? {
    guard n.has(1), let weights = n.inputs[1]!.stored else { return nil }
    guard let x = try n.imported(0).linearCodes else {
        return n.node.op == "Conv" ? nil : try weightOnlyProduct(n, weights)
    }
    let product = try ProductOfCodes(n, x, weights)
    let bias = n.has(2) ? n.inputs[2]! : nil
    var pending = PendingCodes(takesBias: bias == nil && n.node.op == "MatMul", takesResidual: true, takesActivation: true) {
        scale, pending throws(ApusError) in
        try product.emit(
            to: scale, bias: pending.bias, CodeBounds(pending.activation, scale), residual: pending.residual)
    }
    pending.bias = bias
    return [ImportedValue(try product.emit(to: nil, bias: bias, CodeBounds(), residual: nil), .pending(pending))]
}

/// A product of codes and constant codes, before it is known what is added to it and which codes it gives.
private struct ProductOfCodes {
    private enum Place {
        /// Over one axis or two.
        case convolution(Window, groups: Int)
        case dense
    }

    private let g: Emitter
    private let x: Codes
    private let place: Place
    private let weights: Term
    /// Of each output channel.
    private let scales: [Float], sums: [Int], magnitudes: [Int]

    init(_ n: NodeContext, _ x: Codes, _ stored: StoredCodes) throws(ApusError) {
        g = n.g
        self.x = x
        let shape = stored.constant.type.shape
        let matrix: ColumnCodes
        switch n.node.op {
        case "Conv":
            guard x.term.rank == shape.rank, shape.rank == 3 || shape.rank == 4 else {
                throw .unsupported("an integer convolution of rank \(shape.rank)")
            }
            let extents = (2..<shape.rank).map { x.term.extents($0) }
            place = .convolution(
                try Window(n, kernel: Array(shape.dimensions.dropFirst(2)), over: extents), groups: try n.int("group", 1))
            // [O, C, kh, kw] → [kh, kw, C, O].
            matrix = try ColumnCodes(stored, columnAxis: 0, order: shape.rank == 4 ? [2, 3, 1, 0] : [2, 1, 0])
        case "Gemm":
            guard try !n.flag("transA"), try n.float("alpha", 1) == 1, try n.float("beta", 1) == 1 else {
                throw .unsupported("an integer Gemm with transA, alpha or beta")
            }
            place = .dense
            matrix = try n.flag("transB")
                ? ColumnCodes(stored, columnAxis: 0, order: [1, 0]) : ColumnCodes(stored, columnAxis: 1, order: [0, 1])
        default:
            place = .dense
            matrix = try ColumnCodes(stored, columnAxis: 1, order: [0, 1])
        }
        var weights = matrix.codes
        if shape.rank == 3 { weights.type.shape = Shape([1] + weights.type.shape.dimensions) }
        weights.type.quantization = Quantization(
            granularity: .perChannel(axis: weights.type.shape.rank - 1), scales: matrix.scales)
        self.weights = g.constant(weights)
        scales = matrix.scales
        sums = matrix.sums
        magnitudes = matrix.magnitudes
    }

    /// The product to codes of a scale, or to real numbers.
    func emit(
        to output: CodeScale?, bias: ImportedValue?, _ bounds: CodeBounds, residual: Codes?
    ) throws(ApusError) -> Term {
        let from = x.scale
        let units = scales.map { Double(from.scale) * Double($0) }
        let biases = try bias.map { value throws(ApusError) in try integers(value, units) }
        try requireSums(biases)
        let folded = sums.indices.map { column in
            Int32(truncatingIfNeeded: (biases?[column] ?? 0) - (Int(from.zeroPoint) + 128) * sums[column])
        }
        let multipliers = units.map { Float($0 / Double(output?.scale ?? 1)) }
        var inputs = [
            weights, g.constant(Constant("folded", integers32: folded)), g.constant(Constant("multipliers", floats: multipliers)),
        ]
        switch place {
        case .dense:
            if let residual { inputs.append(residual.term) }
            return try g.emit(
                QuantizedDense(output: output, bounds: bounds, hasResidual: residual != nil), [x.term] + inputs)[0]
        case .convolution(let window, let groups):
            func image(_ x: Term) throws(ApusError) -> Term {
                let last = try g.channelsLast(x)
                return window.rank == 1 ? try g.unsqueeze(last, [1]) : last
            }
            let missing = [Int](repeating: 0, count: 2 - window.rank), ones = missing.map { _ in 1 }
            let strides = ones + window.strides, dilations = ones + window.dilations
            let before = missing + window.before, after = missing + window.after
            let op = QuantizedConv2D(
                strides: Size2D(strides[0], strides[1]), dilations: Size2D(dilations[0], dilations[1]),
                padding: .explicit(top: before[0], left: before[1], bottom: after[0], right: after[1]), groups: groups,
                output: output, bounds: bounds, hasResidual: residual != nil)
            if let residual { inputs.append(try image(residual.term)) }
            let y = try g.emit(op, [try image(x.term)] + inputs)[0]
            return try g.channelsFirst(window.rank == 1 ? try g.squeeze(y, [1]) : y)
        }
    }

    /// No sum and bias leave 32 bits, whatever the codes.
    private func requireSums(_ biases: [Int]?) throws(ApusError) {
        let zero = Int(x.scale.zeroPoint), farthest = max(zero + 128, 127 - zero)
        for (column, magnitude) in magnitudes.enumerated() {
            let bias = biases?[column] ?? 0
            guard abs(bias) + farthest * magnitude < 1 << 31 else {
                throw .unsupported(
                    "a bias of \(bias) and sums up to \(farthest * magnitude) in column \(column), wanted less than 2³¹ together")
            }
        }
    }

    /// A bias in units of the sums: as the file has it where those are its units, else rounded.
    private func integers(_ bias: ImportedValue, _ units: [Double]) throws(ApusError) -> [Int] {
        let columns = units.count
        var values: [Double]
        if let stored = bias.stored, stored.constant.type.dtype == .i32, stored.parameters.zeroPoints.allSatisfy({ $0 == 0 }),
            stored.parameters.scales.count == 1 || stored.parameters.scales.count == columns
        {
            let given = stored.parameters.scales
            values = try stored.constant.elements()
            for column in values.indices where values.count == columns {
                let ratio = Double(given[given.count == 1 ? 0 : column]) / units[column]
                if abs(ratio - 1) > 1e-6 { values[column] = (values[column] * ratio).rounded(.toNearestOrEven) }
            }
        } else {
            guard let known = bias.known, known.count == 1 else { throw .unsupported("a bias that is not known") }
            values = try known[0].elements()
            guard values.count == columns else { throw .shape("a bias of \(values.count) elements, wanted \(columns)") }
            for column in values.indices { values[column] = (values[column] / units[column]).rounded(.toNearestOrEven) }
        }
        guard values.count == columns, values.allSatisfy({ abs($0) < 0x1p31 }) else {
            throw .unsupported("a bias of \(values.count) elements, or beyond 32 bits")
        }
        return values.map { Int($0) }
    }
}

/// Constant codes of 8 bits or 4 as symmetric i8 with a scale for each column, the last axis.
struct ColumnCodes {
    let codes: Constant
    let scales: [Float]
    /// Of each column's codes, and of their magnitudes.
    let sums, magnitudes: [Int]

    /// - Parameter columnAxis: the axis of the file's tensor that becomes the last one, by `order`.
    init(_ stored: StoredCodes, columnAxis: Int, order: [Int]) throws(ApusError) {
        let parameters = stored.parameters, source = stored.constant.type.shape, columns = source[columnAxis]
        guard source.rank == order.count else { throw .unsupported("weights \(source) of rank \(source.rank)") }
        guard [.i8, .u8, .i4, .u4].contains(parameters.dtype), parameters.block == 0 else {
            throw .unsupported("weights of \(parameters.dtype.name) in blocks of \(parameters.block)")
        }
        let isShared = parameters.scales.count == 1
        let axis = try source.axis(isShared ? 0 : parameters.axis)
        guard isShared || parameters.scales.count == columns && axis == columnAxis else {
            throw .unsupported("weights \(source) with \(parameters.scales.count) scales along axis \(parameters.axis)")
        }
        scales = isShared ? [Float](repeating: parameters.scales[0], count: columns) : parameters.scales
        let zeros = parameters.zeroPoints.isEmpty ? [0] : parameters.zeroPoints
        let values = try stored.constant.integers(), strides = source.rowStrides
        let shape = order.map { source[$0] }
        try requireTable(values.count / 64)
        var bytes = [Int8](repeating: 0, count: values.count), sums = [Int](repeating: 0, count: columns)
        var magnitudes = sums
        var index = [Int](repeating: 0, count: shape.count), place = 0
        for i in bytes.indices {
            let column = index[shape.count - 1]
            let code = values[place] - zeros[zeros.count == 1 ? 0 : column]
            guard let byte = Int8(exactly: code) else {
                throw .unsupported("weights \(code) from their zero point, wanted −128 ... 127")
            }
            bytes[i] = byte
            sums[column] += code
            magnitudes[column] += abs(code)
            for axis in shape.indices.reversed() {
                index[axis] += 1
                place += strides[order[axis]]
                if index[axis] < shape[axis] { break }
                place -= strides[order[axis]] * shape[axis]
                index[axis] = 0
            }
        }
        self.sums = sums
        self.magnitudes = magnitudes
        codes = Constant(
            stored.constant.name, TensorType(.i8, Shape(shape)), bytes.withUnsafeBytes { HeapStorage($0) })
    }
}
