import ApusGraph

/// `y` is the expected shape, worked out by hand.
private func transposed(
    _ name: String, x: [Int], w: [Int], y: [Int], strides: Size2D = 1, dilations: Size2D = 1,
    padding: Padding = .valid, outputPadding: Size2D = 0, groups: Int = 1, small: Bool = true
) -> OperatorCase {
    let convolution = ConvolutionReference(
        x: y, w: w, strides: strides, dilations: dilations, padding: padding, groups: groups)
    return OperatorCase(
        "Conv2DTranspose \(name)",
        Conv2DTranspose(
            strides: strides, dilations: dilations, padding: padding, outputPadding: outputPadding, groups: groups),
        [.real(x), .real(w), .real([y[3]])], gradients: small ? [0, 1, 2] : [], tolerance: 1e-4
    ) { [convolution.inputGradient(dy: $0[0], w: $0[1]).finished(bias: $0[2], residual: nil)] }
}

let conv2DTransposeCases: [OperatorCase] = [
    transposed("1×1", x: [1, 2, 3, 2], w: [1, 1, 3, 2], y: [1, 2, 3, 3]),
    transposed("3×3", x: [2, 2, 3, 2], w: [3, 3, 1, 2], y: [2, 4, 5, 1]),
    transposed("2×2, stride 2", x: [1, 3, 2, 2], w: [2, 2, 3, 2], y: [1, 6, 4, 3], strides: 2),
    transposed("3×3, stride 2", x: [1, 3, 2, 1], w: [3, 3, 2, 1], y: [1, 7, 5, 2], strides: 2),
    transposed("3×3, stride 2, same", x: [1, 3, 2, 1], w: [3, 3, 2, 1], y: [1, 6, 4, 2], strides: 2, padding: .same),
    transposed("2×2, stride 3, same", x: [1, 2, 3, 1], w: [2, 2, 2, 1], y: [1, 6, 9, 2], strides: 3, padding: .same),
    transposed("1×1, stride 3", x: [1, 2, 2, 1], w: [1, 1, 1, 1], y: [1, 4, 4, 1], strides: 3),
    transposed(
        "3×3, stride 2, output padding", x: [1, 2, 3, 1], w: [3, 3, 1, 1], y: [1, 6, 7, 1], strides: 2,
        outputPadding: Size2D(1, 0)),
    transposed(
        "3×3, asymmetric padding", x: [1, 3, 4, 2], w: [3, 3, 2, 2], y: [1, 5, 6, 2], strides: Size2D(2, 1),
        padding: .explicit(top: 1, left: 0, bottom: 2, right: 0), outputPadding: Size2D(1, 0)),
    transposed("3×3, dilation 2", x: [1, 2, 3, 1], w: [3, 3, 2, 1], y: [1, 6, 7, 2], dilations: 2),
    transposed("3×3, groups 2", x: [1, 2, 3, 6], w: [3, 3, 2, 6], y: [1, 4, 5, 4], groups: 2),
    transposed(
        "depthwise, stride 2", x: [1, 2, 3, 3], w: [3, 3, 1, 3], y: [1, 4, 6, 3], strides: 2, padding: .same,
        groups: 3),
    transposed(
        "depthwise 1×1, stride 2, dilation 1,024", x: [1, 2, 3, 16], w: [1, 1, 1, 16], y: [1, 3, 5, 16], strides: 2,
        dilations: 1024, groups: 16),
    transposed("depthwise, multiplier 2", x: [1, 2, 3, 4], w: [3, 3, 1, 4], y: [1, 4, 5, 2], groups: 2),
    transposed(
        "4×4, stride 2, 32→17", x: [2, 4, 5, 32], w: [4, 4, 17, 32], y: [2, 8, 10, 17], strides: 2, padding: .same,
        small: false),
    OperatorCase(
        "Conv2DTranspose + residual + ReLU", Conv2DTranspose(strides: 2, hasResidual: true, activation: .relu),
        [.real([1, 2, 3, 5]), .real([2, 2, 4, 5]), .real([4]), .real([1, 4, 6, 4])]
    ) { inputs in
        let convolution = ConvolutionReference(
            x: [1, 4, 6, 4], w: [2, 2, 4, 5], strides: 2, dilations: 1, padding: .valid, groups: 1)
        return [
            convolution.inputGradient(dy: inputs[0], w: inputs[1]).finished(bias: inputs[2], residual: inputs[3]) {
                max($0, 0)
            }
        ]
    },
    OperatorCase(
        "Conv2DTranspose without bias", Conv2DTranspose(hasBias: false, hasResidual: true),
        [.real([1, 2, 2, 2]), .real([2, 2, 1, 2]), .real([1, 3, 3, 1])], gradients: [0, 1, 2]
    ) { inputs in
        let convolution = ConvolutionReference(
            x: [1, 3, 3, 1], w: [2, 2, 1, 2], strides: 1, dilations: 1, padding: .valid, groups: 1)
        return [
            convolution.inputGradient(dy: inputs[0], w: inputs[1]).finished(bias: nil, residual: inputs[2])
        ]
    },
]
