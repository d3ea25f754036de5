import ApusGraph

let productExports: [OnnxExportRule] = [
    OnnxExportRule(MatMul.entry, exportMatMul),
    OnnxExportRule(Dense.entry, exportDense),
    OnnxExportRule(Conv2D.entry, exportConvolution),
    OnnxExportRule(Conv2DTranspose.entry, exportTransposedConvolution),
]

@Sendable private func exportMatMul(_ n: NodeExport, _ op: MatMul) throws(ApusError) -> [ExportedValue] {
    let a = try n.input(0, op.transposeA ? .matrixTransposed(n.rank(0)) : nil)
    let b = try n.weights(1, op.transposeB ? .matrixTransposed(n.rank(1)) : nil)
    return n.plain(n("MatMul", a, b))
}

/// act(x·W + b + r): Gemm where x is a matrix, else MatMul and Add.
@Sendable private func exportDense(_ n: NodeExport, _ op: Dense) throws(ApusError) -> [ExportedValue] {
    let x = try n.input(0), w = try n.weights(1)
    var y: String
    if op.hasBias && n.rank(0) == 2 {
        y = n("Gemm", x, w, try n.input(2))
    } else {
        y = n("MatMul", x, w)
        if op.hasBias { y = n("Add", y, try n.input(2)) }
    }
    if op.hasResidual { y = n("Add", y, try n.input(op.hasBias ? 3 : 2)) }
    return n.plain(try n.activation(op.activation, of: y, n.dtype(0)))
}

/// W [kh, kw, C/groups, O] is [O, C/groups, kh, kw] in ONNX, and that of a transposed convolution, [kh, kw, O/groups, C],
/// is [C, O/groups, kh, kw].
private let weightOrder = AxisOrder([3, 2, 0, 1])

@Sendable private func exportConvolution(_ n: NodeExport, _ op: Conv2D) throws(ApusError) -> [ExportedValue] {
    var attributes = convolutionAttributes(n, op)
    attributes.merge(
        n.windowAttributes(kernel: n.kernel, op.strides, op.dilations, op.padding, overAxesOf: 0)) { $1 }
    return try exportConvolution("Conv", n, op, attributes)
}

/// With padding `same` y is stride times as long as x: the window is cut by kernel − stride in all, or, where it is
/// shorter than the stride, the output is padded.
@Sendable private func exportTransposedConvolution(
    _ n: NodeExport, _ op: Conv2DTranspose
) throws(ApusError) -> [ExportedValue] {
    var attributes = convolutionAttributes(n, op)
    var pads = op.padding.explicit, extra = op.outputPadding
    if op.padding == .same {
        let window = Size2D((n.kernel.height - 1) * op.dilations.height + 1, (n.kernel.width - 1) * op.dilations.width + 1)
        pads = [window.height - op.strides.height, window.width - op.strides.width].halves
        extra = Size2D(max(0, op.strides.height - window.height), max(0, op.strides.width - window.width))
    }
    attributes["pads"] = .ints(pads)
    attributes["output_padding"] = .ints([extra.height, extra.width])
    return try exportConvolution("ConvTranspose", n, op, attributes)
}

private func convolutionAttributes(_ n: NodeExport, _ op: Convolution) -> [String: OnnxAttribute] {
    [
        "kernel_shape": .ints([n.kernel.height, n.kernel.width]),
        "strides": .ints([op.strides.height, op.strides.width]),
        "dilations": .ints([op.dilations.height, op.dilations.width]), "group": .int(op.groups),
    ]
}

private func exportConvolution(
    _ onnx: String, _ n: NodeExport, _ op: Convolution, _ attributes: [String: OnnxAttribute]
) throws(ApusError) -> [ExportedValue] {
    let order = AxisOrder.channelsFirst(4)
    var inputs = [try n.input(0, order), try n.weights(1, weightOrder)]
    if op.hasBias { inputs.append(try n.input(2)) }
    var y = n.emit(onnx, inputs, attributes)[0]
    if op.hasResidual { y = n("Add", y, try n.input(op.hasBias ? 3 : 2, order)) }
    return [ExportedValue(try n.activation(op.activation, of: y, n.dtype(0)), order)]
}

extension NodeExport {
    /// The kernel of a convolution's weights, input 1.
    fileprivate var kernel: Size2D { Size2D(type(1).shape[0], type(1).shape[1]) }

    /// "pads", or "auto_pad" where they follow from an extent that a symbolic dimension decides.
    func windowAttributes(
        kernel: Size2D, _ strides: Size2D, _ dilations: Size2D, _ padding: Padding, overAxesOf input: Int
    ) -> [String: OnnxAttribute] {
        guard padding == .same else { return ["pads": .ints(padding.explicit)] }
        guard let height = extent(input, 1), let width = extent(input, 2) else {
            return ["auto_pad": .string(Array("SAME_UPPER".utf8))]
        }
        func missing(_ extent: Int, _ kernel: Int, _ stride: Int, _ dilation: Int) -> Int {
            ((extent + stride - 1) / stride - 1) * stride + (kernel - 1) * dilation + 1 - extent
        }
        return [
            "pads": .ints(
                [
                    missing(height, kernel.height, strides.height, dilations.height),
                    missing(width, kernel.width, strides.width, dilations.width),
                ].halves)
        ]
    }
}

extension Padding {
    /// Top, left, bottom, right: ONNX's "pads".
    fileprivate var explicit: [Int] {
        guard case .explicit(let top, let left, let bottom, let right) = self else { return [0, 0, 0, 0] }
        return [top, left, bottom, right]
    }
}

extension [Int] {
    /// Rows and columns of padding in all, none where negative, as ONNX's "pads": the odd ones at the end.
    fileprivate var halves: [Int] { map { Swift.max(0, $0) / 2 } + map { (Swift.max(0, $0) + 1) / 2 } }
}
