import ApusGraph

/// Codes are int8 in ONNX; what computes on them is the float operator between DequantizeLinear and QuantizeLinear.
let quantizedExports: [OnnxExportRule] = [
    OnnxExportRule(Quantize.entry) { (n, op: Quantize) throws(ApusError) in
        let order = n.order(0)
        return [ExportedValue(n.quantized(try n.input(0, order), op.output), order)]
    },
    OnnxExportRule(Dequantize.entry) { (n, _: Dequantize) throws(ApusError) in
        [ExportedValue(try n.dequantized(0, n.order(0)), n.order(0))]
    },
    OnnxExportRule(Lookup.entry, exportLookup),
    OnnxExportRule(QuantizedAdd.entry) { (n, op: QuantizedAdd) throws(ApusError) in try exportElementwise("Add", n, op) },
    OnnxExportRule(QuantizedMul.entry) { (n, op: QuantizedMul) throws(ApusError) in try exportElementwise("Mul", n, op) },
    OnnxExportRule(QuantizedAvgPool.entry, exportAveragePool),
    OnnxExportRule(QuantizedSoftmax.entry, exportSoftmax),
]

/// A table of real numbers, read by the code as an index.
@Sendable private func exportLookup(_ n: NodeExport, _ op: Lookup) throws(ApusError) -> [ExportedValue] {
    let table = try n.constant(1), order = n.order(0)
    var values = try table.elements()
    if let to = op.outputCodes { values = values.map { Double(to.scale * Float(Int($0) - Int(to.zeroPoint))) } }
    let index = n("Add", n.cast(try n.input(0, order), to: .i32), try n.scalar(128, .i32))
    let y = n("Gather", try n.tensor(values, .f32, [256]), index)
    return [ExportedValue(op.outputCodes.map { n.quantized(y, $0) } ?? y, order)]
}

private func exportElementwise(
    _ onnx: String, _ n: NodeExport, _ op: QuantizedElementwise
) throws(ApusError) -> [ExportedValue] {
    let (names, order) = try n.broadcast()
    var reals: [String] = []
    for (i, name) in names.enumerated() { reals.append(try n.dequantized(name, n.codes(i))) }
    let y = try n.bounded(n.emit(onnx, reals)[0], op.bounds, op.output)
    return [ExportedValue(n.quantized(y, op.output), order)]
}

@Sendable private func exportAveragePool(_ n: NodeExport, _ op: QuantizedAvgPool) throws(ApusError) -> [ExportedValue] {
    let order = AxisOrder.channelsFirst(4)
    let x = try n.dequantized(0, order)
    let y = op.kernel == 0
        ? n("GlobalAveragePool", x)
        : n(
            "AveragePool", x,
            attributes: n.poolAttributes(op).merging(["count_include_pad": .int(op.countsPadding ? 1 : 0)]) { $1 })
    return [ExportedValue(n.quantized(y, op.output), order)]
}

@Sendable private func exportSoftmax(_ n: NodeExport, _ op: QuantizedSoftmax) throws(ApusError) -> [ExportedValue] {
    guard try n.constant(1).elements() == exponentials(try n.codes(0)).map({ Double($0) }) else {
        throw .unsupported("a table of exponentials that are not those of its codes' scale")
    }
    let order = n.order(0)
    let y = n("Softmax", try n.dequantized(0, order), attributes: ["axis": .int(order.place(of: n.rank(0) - 1))])
    return [ExportedValue(n.quantized(y, QuantizedSoftmax.output), order)]
}

extension NodeExport {
    /// What the codes of an input stand for.
    func codes(_ input: Int) throws(ApusError) -> CodeScale {
        guard let codes = CodeScale(type(input)) else { throw .shape("\(type(input)), wanted codes of one scale") }
        return codes
    }

    /// An input's codes as real numbers.
    func dequantized(_ input: Int, _ order: AxisOrder? = nil) throws(ApusError) -> String {
        try dequantized(try self.input(input, order), codes(input))
    }

    func dequantized(_ name: String, _ codes: CodeScale) throws(ApusError) -> String {
        self("DequantizeLinear", name, real(codes.scale), integer(codes.zeroPoint))
    }

    func quantized(_ name: String, _ codes: CodeScale) -> String {
        self("QuantizeLinear", name, real(codes.scale), integer(codes.zeroPoint))
    }

    /// A real value within the limits that bounds of its codes are.
    func bounded(_ name: String, _ bounds: CodeBounds, _ codes: CodeScale) throws(ApusError) -> String {
        let zero = Int(codes.zeroPoint)
        func limit(_ code: Int) -> String { real(codes.scale * Float(code - zero)) }
        if bounds == CodeBounds() { return name }
        if bounds == CodeBounds(zero, 127) { return self("Relu", name) }
        let low = bounds.minimum == -128 ? "" : limit(bounds.minimum)
        return bounds.maximum == 127 ? self("Clip", name, low) : self("Clip", name, low, limit(bounds.maximum))
    }

    private func real(_ value: Float) -> String { define(Constant("", TensorType(.f32, []), [value].withUnsafeBytes { HeapStorage($0) })) }

    private func integer(_ value: Int32) -> String {
        define(Constant("", TensorType(.i8, []), [Int8(truncatingIfNeeded: value)].withUnsafeBytes { HeapStorage($0) }))
    }
}
