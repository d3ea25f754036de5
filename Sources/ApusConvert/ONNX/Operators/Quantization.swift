import ApusGraph

let quantizationOperators: [OnnxOperator] = [
    OnnxOperator("QuantizeLinear", quantizeLinear),
    OnnxOperator("DequantizeLinear", dequantizeLinear),
    OnnxOperator("DynamicQuantizeLinear", dynamicQuantizeLinear),
    OnnxOperator("QLinearMatMul", qLinearMatMul),
    OnnxOperator("QLinearConv", qLinearConv),
    OnnxOperator("MatMulNBits", domain: "com.microsoft", matMulNBits),
]

/// A scale or zero point in a shape that broadcasts with x: one number, one per index of the axis, or one per block.
private func spread(_ n: NodeContext, _ parameter: Term, over x: Term) throws(ApusError) -> Term {
    if parameter.rank == 0 { return parameter }
    let block = try n.int("block_size", 0)
    if block == 0 && parameter.rank == 1 && parameter.shape[0] == 1 { return try n.g.reshape(parameter, []) }
    let axis = try x.axis(try n.int("axis", 1))
    if block == 0 {
        var shape = [Int](repeating: 1, count: x.rank)
        shape[axis] = try parameter.extent(0)
        return try n.g.reshape(parameter, shape)
    }
    let extent = try x.extent(axis)
    try requireTable(extent)
    guard block > 0, parameter.rank == x.rank else { throw .shape("scales \(parameter.shape) of blocks of \(block)") }
    return try n.g.gather(parameter, (0..<extent).map { $0 / block }, axis: axis)
}

extension DType {
    /// The least and the greatest integer.
    fileprivate var range: (Double, Double)? {
        switch self {
        case .i8: (-128, 127)
        case .u8: (0, 255)
        case .i16: (-32768, 32767)
        case .u16: (0, 65535)
        case .i32: (-2_147_483_648, 2_147_483_647)
        default: nil
        }
    }
}

extension Emitter {
    /// Nearest integer of x, halves to even, plus the zero point, within the type's range.
    fileprivate func quantized(_ x: Term, zeroPoint: Term?, as dtype: DType) throws(ApusError) -> Term {
        guard let (low, high) = dtype.range else { throw .unsupported("quantization to \(dtype.name)") }
        var y = try round(try cast(x, to: .f32))
        if let zeroPoint { y = try add(y, try cast(zeroPoint, to: .f32)) }
        return try cast(try clip(y, Float(low), Float(high)), to: dtype)
    }

    /// x less its zero point, as f32.
    fileprivate func centered(_ x: Term, zeroPoint: Term?) throws(ApusError) -> Term {
        let real = try cast(x, to: .f32)
        return try zeroPoint.map { z throws(ApusError) in try sub(real, try cast(z, to: .f32)) } ?? real
    }
}

private func quantizeLinear(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try n.term(0)
    let scale = try spread(n, try n.term(1), over: x)
    let zero: Term? = n.has(2) ? try spread(n, try n.term(2), over: x) : nil
    let dtype = zero == nil ? try n.elementType("output_dtype", .u8) : zero!.dtype
    let precision = try n.int("precision", 0)
    let wide: DType = precision == 0 ? (x.dtype == .i32 ? .f32 : x.dtype) : try n.elementType("precision")
    let ratio = try n.g.div(try n.g.cast(x, to: wide), try n.g.cast(scale, to: wide))
    return try n.g.quantized(ratio, zeroPoint: zero, as: dtype)
}

private func dequantizeLinear(_ n: NodeContext) throws(ApusError) -> Term {
    let x = try wholeBytes(n, 0)
    let scale = try spread(n, try n.term(1), over: x)
    let zero: Term? = n.has(2) ? try spread(n, try wholeBytes(n, 2), over: x) : nil
    let y = try n.g.mul(try n.g.centered(x, zeroPoint: zero), try n.g.cast(scale, to: .f32))
    return try n.g.cast(y, to: try n.int("output_dtype", 0) == 0 ? scale.dtype : try n.elementType("output_dtype"))
}

/// An input; known integers of 4 bits, which no operator takes, as i8.
private func wholeBytes(_ n: NodeContext, _ index: Int) throws(ApusError) -> Term {
    guard try n.dtype(index).bitWidth == 4 else { return try n.term(index) }
    let x = try n.known(index)
    return n.g.constant(try Constant(x.name, .i8, x.type.shape.dimensions, try x.elements()))
}

/// To u8 by the range of x, which is widened to hold 0; of nothing but 0, by a scale of 1.
private func dynamicQuantizeLinear(_ n: NodeContext) throws(ApusError) -> [ImportedValue] {
    let x = try n.term(0), axes = Array(0..<x.rank), zero = try n.g.scalar(0, .f32)
    let low = try n.g.minimum(try n.g.reduce(.min, x, axes, keep: false), zero)
    let high = try n.g.maximum(try n.g.reduce(.max, x, axes, keep: false), zero)
    let step = try n.g.div(try n.g.sub(high, low), try n.g.scalar(255, .f32))
    let scale = try n.g.select(try n.g.equal(high, low), try n.g.scalar(1, .f32), step)
    let center = try n.g.quantized(try n.g.div(try n.g.neg(low), scale), zeroPoint: nil, as: .u8)
    let y = try n.g.quantized(try n.g.div(x, scale), zeroPoint: center, as: .u8)
    return [ImportedValue(y), ImportedValue(scale), ImportedValue(center)]
}

private func qLinearMatMul(_ n: NodeContext) throws(ApusError) -> Term {
    func operand(_ input: Int, isRows: Bool) throws(ApusError) -> Term {
        var scale = try n.g.cast(try n.term(input + 1), to: .f32), zero = try n.term(input + 2)
        if isRows && scale.rank == 1 && scale.shape[0] > 1 {
            (scale, zero) = (try n.g.unsqueeze(scale, [1]), try n.g.unsqueeze(zero, [1]))
        }
        return try n.g.mul(try n.g.centered(try n.term(input), zeroPoint: zero), scale)
    }
    let y = try n.g.product(try operand(0, isRows: true), try operand(3, isRows: false))
    let zero = try n.term(7)
    return try n.g.quantized(try n.g.div(y, try n.g.cast(try n.term(6), to: .f32)), zeroPoint: zero, as: zero.dtype)
}

private func qLinearConv(_ n: NodeContext) throws(ApusError) -> Term {
    func perOutput(_ x: Term, rank: Int) throws(ApusError) -> Term {
        x.rank == 0 ? x : try n.g.reshape(x, [try x.extent(0)] + [Int](repeating: 1, count: max(0, rank - 1)))
    }
    let x = try n.g.centered(try n.term(0), zeroPoint: try n.term(2))
    let weights = try n.term(3)
    let w = try n.g.centered(weights, zeroPoint: try perOutput(try n.term(5), rank: weights.rank))
    let bias: Term? = n.has(8) ? try n.g.cast(try n.term(8), to: .f32) : nil
    let sums = try convolution(n, x, w, bias)
    let scale = try n.g.div(try n.g.mul(try n.term(1), try n.term(4)), try n.term(6))
    let y = try n.g.mul(sums, try perOutput(scale, rank: weights.rank - 1))
    let zero = try n.term(7)
    return try n.g.quantized(y, zeroPoint: zero, as: zero.dtype)
}
