import ApusGraph
import enum Apus.Packing

let quantizedProductExports: [OnnxExportRule] = [
    OnnxExportRule(QuantizedDense.entry, exportQuantizedDense),
    OnnxExportRule(QuantizedConv2D.entry, exportQuantizedConvolution),
    OnnxExportRule(WeightOnlyDense.entry, exportWeightOnly),
    // Outside of the table Apus reads zeros, and ONNX knows no such index.
    OnnxExportRule(WeightOnlyGather.entry) { (n, op: WeightOnlyGather) throws(ApusError) in
        let scales = try n.constant(1), isBlocked = op.blockSize > 0
        let attributes: [String: OnnxAttribute] =
            isBlocked ? ["axis": .int(1), "block_size": .int(op.blockSize)] : ["axis": .int(0)]
        let shape = isBlocked ? scales.type.shape.dimensions : [scales.type.shape[0]]
        let table = n.emit("DequantizeLinear", [try n.input(0), try n.tensor(try scales.elements(), .f32, shape)], attributes)[0]
        return n.plain(n("Gather", table, try n.input(2), attributes: ["axis": .int(0)]))
    },
    OnnxExportRule(DynamicDense.entry, exportDynamic),
]

/// The real numbers that the constants of an integer product stand for: weights with a scale for each column, and a bias.
private struct RealProduct {
    let scales: [Float]
    let bias: [Int32]
    let biasScales: [Float]

    init(_ n: NodeExport, _ op: QuantizedProduct) throws(ApusError) {
        let weights = try n.constant(1), from = try n.codes(0), to = Double(op.outputCodes?.scale ?? 1)
        let multipliers = try n.constant(3).elements(), columns = multipliers.count
        func multiplier(_ scale: Float) -> Float { Float(Double(from.scale) * Double(scale) / to) }
        let stated = weights.type.quantization?.scales ?? []
        scales = multipliers.indices.map { column in
            let wanted = Float(multipliers[column])
            if stated.count == columns, multiplier(stated[column]) == wanted { return stated[column] }
            // The float that gives the multiplier, or one next to it.
            let near = Float(Double(wanted) * to / Double(from.scale))
            return [near, near.nextUp, near.nextDown].first { multiplier($0) == wanted } ?? near
        }
        guard scales.allSatisfy({ $0 > 0 && $0.isFinite }) else {
            throw .unsupported("multipliers that are not positive, which no scale of weights gives")
        }
        var sums = [Int](repeating: 0, count: columns)
        for (i, code) in try weights.integers().enumerated() { sums[i % columns] += code }
        bias = try n.constant(2).integers().enumerated().map { column, folded in
            Int32(truncatingIfNeeded: folded + (Int(from.zeroPoint) + 128) * sums[column])
        }
        biasScales = scales.map { from.scale * $0 }
    }

    /// The name of the bias as real numbers.
    func bias(_ n: NodeExport) -> String {
        n(
            "DequantizeLinear", n.define(Constant("", integers32: bias)), n.define(Constant("", floats: biasScales)),
            attributes: ["axis": .int(0)])
    }

    /// Of weights by their name, whose axis `axis` the columns are.
    func weights(_ n: NodeExport, _ name: String, axis: Int) -> String {
        n("DequantizeLinear", name, n.define(Constant("", floats: scales)), attributes: ["axis": .int(axis)])
    }
}

@Sendable private func exportQuantizedDense(_ n: NodeExport, _ op: QuantizedDense) throws(ApusError) -> [ExportedValue] {
    let real = try RealProduct(n, op)
    let x = try n.dequantized(0), w = real.weights(n, try n.input(1), axis: 1)
    let y = n.rank(0) == 2 ? n("Gemm", x, w, real.bias(n)) : n("Add", n("MatMul", x, w), real.bias(n))
    return n.plain(try n.finished(y, op, .plain(n.outputType(0).shape.rank)))
}

@Sendable private func exportQuantizedConvolution(
    _ n: NodeExport, _ op: QuantizedConv2D
) throws(ApusError) -> [ExportedValue] {
    let order = AxisOrder.channelsFirst(4), shape = n.type(1).shape, kernel = Size2D(shape[0], shape[1])
    let real = try RealProduct(n, op)
    var attributes = n.windowAttributes(kernel: kernel, op.strides, op.dilations, op.padding, overAxesOf: 0)
    attributes["kernel_shape"] = .ints([kernel.height, kernel.width])
    attributes["strides"] = .ints([op.strides.height, op.strides.width])
    attributes["dilations"] = .ints([op.dilations.height, op.dilations.width])
    attributes["group"] = .int(op.groups)
    let w = real.weights(n, try n.input(1, AxisOrder([3, 2, 0, 1])), axis: 0)
    let y = n("Conv", try n.dequantized(0, order), w, real.bias(n), attributes: attributes)
    return [ExportedValue(try n.finished(y, op, order), order)]
}

extension NodeExport {
    /// A product's residual, bounds and codes.
    fileprivate func finished(_ y: String, _ op: QuantizedProduct, _ order: AxisOrder) throws(ApusError) -> String {
        guard let to = op.outputCodes else { return y }
        let sum = op.hasResidual ? self("Add", y, try dequantized(4, order)) : y
        return quantized(try bounded(sum, op.bounds, to), to)
    }
}

extension NodeExport {
    /// The weights of inputs 1, 2 and, if there are zero points, 3, dequantized where they are read.
    func weightOnly(blockSize: Int, hasZeroPoints: Bool) throws(ApusError) -> String {
        let scales = try constant(2), narrow = dtype(1) == .i4
        let isBlocked = blockSize > 0
        let shape = isBlocked ? scales.type.shape.dimensions : [type(1).shape[1]]
        var inputs = [try input(1), try tensor(try scales.elements(), .f32, shape)]
        if hasZeroPoints {
            let zeros = try constant(3).integers()
            guard !narrow || zeros.allSatisfy({ (-8...7).contains($0) }) else {
                throw .unsupported("zero points beyond the 4 bits of their weights")
            }
            inputs.append(define(Constant(codes: zeros, narrow ? .i4 : .i8, shape)))
        }
        let attributes: [String: OnnxAttribute] =
            isBlocked ? ["axis": .int(0), "block_size": .int(blockSize)] : ["axis": .int(1)]
        return emit("DequantizeLinear", inputs, attributes)[0]
    }
}

@Sendable private func exportWeightOnly(_ n: NodeExport, _ op: WeightOnlyDense) throws(ApusError) -> [ExportedValue] {
    let w = try n.weightOnly(blockSize: op.blockSize, hasZeroPoints: op.hasZeroPoints)
    let x = try n.input(0), next = op.hasZeroPoints ? 4 : 3, isGemm = op.hasBias && n.rank(0) == 2 && !op.dynamicActivations
    var y: String
    if op.dynamicActivations {
        y = n.call(.dynamicWeightOnlyDense, [x, w])
    } else {
        y = isGemm ? n("Gemm", x, w, try n.input(next)) : n("MatMul", x, w)
    }
    if op.hasBias && !isGemm { y = n("Add", y, try n.input(next)) }
    if op.hasResidual { y = n("Add", y, try n.input(n.inputCount - 1)) }
    return n.plain(try n.activation(op.activation, of: y, .f32))
}

/// A function of the file's own, by whose name the importer knows it.
@Sendable private func exportDynamic(_ n: NodeExport, _ op: DynamicDense) throws(ApusError) -> [ExportedValue] {
    let sums = try n.constant(2).integers(), columns = sums.count
    var totals = [Int](repeating: 0, count: columns)
    for (i, code) in try n.constant(1).integers().enumerated() { totals[i % columns] += code }
    guard zip(sums, totals).allSatisfy({ $0 == -128 * $1 }) else {
        throw .unsupported("sums of columns that are not those of the weights")
    }
    var y = n.call(.dynamicDense, [try n.input(0), try n.input(1), try n.input(3)])
    if op.hasBias { y = n("Add", y, try n.input(4)) }
    if op.hasResidual { y = n("Add", y, try n.input(n.inputCount - 1)) }
    return n.plain(try n.activation(op.activation, of: y, .f32))
}
