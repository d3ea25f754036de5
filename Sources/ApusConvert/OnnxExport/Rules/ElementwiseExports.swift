import ApusGraph

let elementwiseExports: [OnnxExportRule] = [
    OnnxExportRule("Add", onnx: "Add"),
    OnnxExportRule("Sub", onnx: "Sub"),
    OnnxExportRule("Mul", onnx: "Mul"),
    OnnxExportRule("Div", exportDivision),
    OnnxExportRule("Max", onnx: "Max"),
    OnnxExportRule("Min", onnx: "Min"),
    OnnxExportRule("Pow", exportPower),
    OnnxExportRule("Equal", onnx: "Equal"),
    OnnxExportRule("NotEqual") { n throws(ApusError) in
        let (names, order) = try n.broadcast()
        return [ExportedValue(n("Not", n.emit("Equal", names)[0]), order)]
    },
    OnnxExportRule("Less", onnx: "Less"),
    OnnxExportRule("LessOrEqual", onnx: "LessOrEqual"),
    OnnxExportRule("Greater", onnx: "Greater"),
    OnnxExportRule("GreaterOrEqual", onnx: "GreaterOrEqual"),
    OnnxExportRule("And", exportBits("And")),
    OnnxExportRule("Or", exportBits("Or")),
    OnnxExportRule("Xor", exportBits("Xor")),
    OnnxExportRule("Where", onnx: "Where"),
    OnnxExportRule("Neg", onnx: "Neg"),
    OnnxExportRule("Exp", onnx: "Exp"),
    OnnxExportRule("Log", onnx: "Log"),
    OnnxExportRule("Sqrt", onnx: "Sqrt"),
    OnnxExportRule("Abs", onnx: "Abs"),
    OnnxExportRule("Sign", onnx: "Sign"),
    OnnxExportRule("Reciprocal", onnx: "Reciprocal"),
    OnnxExportRule("Square") { n throws(ApusError) in
        let (names, order) = try n.broadcast()
        return [ExportedValue(n("Mul", names[0], names[0]), order)]
    },
    OnnxExportRule("Floor", onnx: "Floor"),
    OnnxExportRule("Ceil", onnx: "Ceil"),
    OnnxExportRule("Round", onnx: "Round"),
    OnnxExportRule("Erf", onnx: "Erf"),
    OnnxExportRule("Sin", onnx: "Sin"),
    OnnxExportRule("Cos", onnx: "Cos"),
    OnnxExportRule("Not", onnx: "Not"),
    OnnxExportRule(Cast.entry) { (n, op: Cast) throws(ApusError) in
        let (names, order) = try n.broadcast()
        return [ExportedValue(n.cast(names[0], to: op.dtype), order)]
    },
]

/// ONNX has an operator for truth values and one for bits.
private func exportBits(_ name: String) -> OnnxExportRule.Export {
    { n throws(ApusError) in
        let (names, order) = try n.broadcast()
        return [ExportedValue(n.emit(n.dtype(0) == .bool ? name : "Bitwise" + name, names)[0], order)]
    }
}

/// Of integers a / 0 is 0 in Apus and undefined in ONNX.
private let exportDivision: OnnxExportRule.Export = { n throws(ApusError) in
    let (names, order) = try n.broadcast()
    guard !n.dtype(1).isFloat else { return [ExportedValue(n.emit("Div", names)[0], order)] }
    let zero = try n.scalar(0, n.dtype(1)), one = try n.scalar(1, n.dtype(1))
    let isZero = n("Equal", names[1], zero)
    let quotient = n("Div", names[0], n("Where", isZero, one, names[1]))
    return [ExportedValue(n("Where", isZero, zero, quotient), order)]
}

/// ONNX has no powers of integers of one byte; those of wider ones end in the same bits.
private let exportPower: OnnxExportRule.Export = { n throws(ApusError) in
    let (names, order) = try n.broadcast(), dtype = n.dtype(0)
    guard dtype == .i8 || dtype == .u8 else { return [ExportedValue(n.emit("Pow", names)[0], order)] }
    let power = n("Pow", n.cast(names[0], to: .i32), n.cast(names[1], to: .i32))
    return [ExportedValue(n.cast(power, to: dtype), order)]
}
