import ApusGraph
import Foundation

/// One convolution and both of its gradients; central differences where `small`.
private func family(
    _ name: String, x: [Int], w: [Int], strides: Size2D = 1, dilations: Size2D = 1, padding: Padding = .valid,
    groups: Int = 1, algorithm: ConvolutionAlgorithm = .direct, small: Bool = false, tolerance: Double = 1e-4
) -> [OperatorCase] {
    let reference = ConvolutionReference(
        x: x, w: w, strides: strides, dilations: dilations, padding: padding, groups: groups)
    let y = reference.y
    return [
        OperatorCase(
            "Conv2D \(name)",
            Conv2D(
                strides: strides, dilations: dilations, padding: padding, groups: groups, algorithm: algorithm),
            [.real(x), .real(w), .real([w[3]])], gradients: small ? [0, 1, 2] : [], tolerance: tolerance
        ) { [reference.output(x: $0[0], w: $0[1]).finished(bias: $0[2], residual: nil)] },
        OperatorCase(
            "Conv2DInputGradient \(name)",
            Conv2DInputGradient(
                strides: strides, dilations: dilations, padding: padding, groups: groups, algorithm: algorithm),
            [.real(y), .real(w), .real(x)], tolerance: tolerance
        ) { [reference.inputGradient(dy: $0[0], w: $0[1])] },
        OperatorCase(
            "Conv2DWeightGradient \(name)",
            Conv2DWeightGradient(strides: strides, dilations: dilations, padding: padding, groups: groups),
            [.real(x), .real(y), .real(w)], tolerance: 1e-4
        ) { [reference.weightGradient(x: $0[0], dy: $0[1])] },
    ]
}

/// The weight gradient by Winograd's method.
private func byWinograd(_ name: String, x: [Int], outputs: Int, padding: Padding = .valid) -> OperatorCase {
    let w = [3, 3, x[3], outputs]
    let reference = ConvolutionReference(x: x, w: w, strides: 1, dilations: 1, padding: padding, groups: 1)
    return OperatorCase(
        "Conv2DWeightGradient by Winograd, \(name)",
        Conv2DWeightGradient(padding: padding, algorithm: .winograd(tile: 4)), [.real(x), .real(reference.y), .real(w)],
        tolerance: 1e-4
    ) { [reference.weightGradient(x: $0[0], dy: $0[1])] }
}

/// What follows the sums, over a 3 × 3 convolution with padding.
private func finished(
    _ name: String, _ op: Conv2D, channels: Int, kernel: Int = 3, gradients: [Int] = [], tolerance: Double = 1e-5,
    _ activation: @escaping (Double) -> Double = { $0 }
) -> OperatorCase {
    let x = [1, 3, 4, 2], w = [kernel, kernel, 2, channels]
    let reference = ConvolutionReference(x: x, w: w, strides: 1, dilations: 1, padding: .same, groups: 1)
    var inputs: [TestInput] = [.real(x), .real(w)]
    if op.hasBias { inputs.append(.real([channels])) }
    if op.hasResidual { inputs.append(.real(reference.y)) }
    return OperatorCase("Conv2D \(name)", op, inputs, gradients: gradients, tolerance: tolerance) {
        let y = reference.output(x: $0[0], w: $0[1])
        return [y.finished(bias: op.hasBias ? $0[2] : nil, residual: op.hasResidual ? $0.last : nil, activation)]
    }
}

let conv2DCases: [OperatorCase] = [
    family("1×1 of one number", x: [1, 1, 1, 1], w: [1, 1, 1, 1], small: true),
    family("1×1, 17→3", x: [2, 3, 5, 17], w: [1, 1, 17, 3]),
    family("1×1, stride 2", x: [1, 5, 4, 3], w: [1, 1, 3, 4], strides: 2, small: true),
    family("1×1, 5→64, strides 3 and 2", x: [2, 7, 4, 5], w: [1, 1, 5, 64], strides: Size2D(3, 2)),
    family("1×1, 17→70, stride 2, same", x: [3, 5, 6, 17], w: [1, 1, 17, 70], strides: 2, padding: .same),
    family(
        "1×1, 4→64, stride 2, padding at the end", x: [1, 4, 5, 4], w: [1, 1, 4, 64], strides: 2,
        padding: .explicit(top: 0, left: 0, bottom: 1, right: 2)),
    family("3×3 valid", x: [2, 5, 4, 2], w: [3, 3, 2, 3], small: true),
    family("3×3 same", x: [1, 4, 5, 3], w: [3, 3, 3, 2], padding: .same, small: true),
    family("3×3 same, stride 2, odd, even", x: [1, 5, 6, 2], w: [3, 3, 2, 2], strides: 2, padding: .same, small: true),
    family("3×3 same, stride 3", x: [2, 7, 8, 1], w: [3, 3, 1, 2], strides: 3, padding: .same, small: true),
    family("2×2 stride 3, elements never read", x: [1, 7, 8, 1], w: [2, 2, 1, 2], strides: 3, small: true),
    family("3×2, strides 1 and 2", x: [1, 5, 6, 2], w: [3, 2, 2, 2], strides: Size2D(1, 2), small: true),
    family(
        "3×3, asymmetric padding", x: [1, 4, 5, 2], w: [3, 3, 2, 2],
        padding: .explicit(top: 2, left: 0, bottom: 1, right: 3), small: true),
    family(
        "2×3, padding beyond the kernel", x: [1, 2, 3, 1], w: [2, 3, 1, 2],
        padding: .explicit(top: 3, left: 4, bottom: 2, right: 0), small: true),
    family("3×3, dilation 2", x: [1, 6, 7, 2], w: [3, 3, 2, 2], dilations: 2, small: true),
    family(
        "3×3, dilation 2, stride 2, same", x: [1, 6, 7, 2], w: [3, 3, 2, 2], strides: 2, dilations: 2, padding: .same,
        small: true),
    family(
        "3×3, dilations 3 and 2, stride 2", x: [1, 9, 7, 1], w: [3, 3, 1, 2], strides: Size2D(2, 2),
        dilations: Size2D(3, 2), padding: .explicit(top: 1, left: 2, bottom: 0, right: 1), small: true),
    family("3×3, groups 2", x: [1, 4, 4, 4], w: [3, 3, 2, 6], padding: .same, groups: 2, small: true),
    family("3×3, groups 2 of 17", x: [1, 4, 5, 34], w: [3, 3, 17, 34], padding: .same, groups: 2),
    family("depthwise 3×3", x: [1, 4, 5, 3], w: [3, 3, 1, 3], padding: .same, groups: 3, small: true),
    family("depthwise 3×3, multiplier 2", x: [1, 4, 5, 3], w: [3, 3, 1, 6], padding: .same, groups: 3, small: true),
    family(
        "depthwise 5×3, 32 channels, stride 2", x: [2, 9, 7, 32], w: [5, 3, 1, 32], strides: 2, padding: .same,
        groups: 32),
    family(
        "depthwise 3×3, 17 channels, dilation 2", x: [1, 8, 7, 17], w: [3, 3, 1, 17], dilations: 2, padding: .same,
        groups: 17),
    family("depthwise 3×3, 17 channels, multiplier 2", x: [1, 5, 6, 17], w: [3, 3, 1, 34], strides: 2, groups: 17),
    family("depthwise 3×3, 50 channels", x: [2, 6, 5, 50], w: [3, 3, 1, 50], groups: 50),
    family("depthwise 3×3, lines in two pieces", x: [2, 3, 180, 16], w: [3, 3, 1, 16], padding: .same, groups: 16),
    family("depthwise 3×3, stride 2, 15 pixels", x: [2, 7, 29, 20], w: [3, 3, 1, 20], strides: 2, padding: .same, groups: 20),
    family("depthwise 17×16", x: [1, 18, 17, 8], w: [17, 16, 1, 8], padding: .same, groups: 8),
    family("5×5, 1→32", x: [2, 9, 10, 1], w: [5, 5, 1, 32], padding: .same),
    family("7×7 stride 2, 3→17", x: [1, 13, 11, 3], w: [7, 7, 3, 17], strides: 2, padding: .same),
    family("3×3, 17→33", x: [3, 4, 5, 17], w: [3, 3, 17, 33], padding: .same),
    family("3×3, 32→32", x: [1, 8, 7, 32], w: [3, 3, 32, 32], padding: .same),
    family("3×3, 32→48, stride 2", x: [2, 8, 7, 32], w: [3, 3, 32, 48], strides: 2, padding: .same),
    family("1×3, 32→16, line by line", x: [1, 3, 29, 32], w: [1, 3, 32, 16], padding: .same),
    winogradCases(tile: 2),
    winogradCases(tile: 4),
    [
        finished("without bias", Conv2D(padding: .same, hasBias: false), channels: 3, gradients: [0, 1]),
        finished("with residual", Conv2D(padding: .same, hasResidual: true), channels: 5, gradients: [0, 1, 2, 3]),
        finished("residual alone", Conv2D(padding: .same, hasBias: false, hasResidual: true), channels: 16),
        finished("+ ReLU", Conv2D(padding: .same, activation: .relu), channels: 17) { max($0, 0) },
        finished(
            "+ residual + ReLU", Conv2D(padding: .same, hasResidual: true, activation: .relu), channels: 33
        ) { max($0, 0) },
        finished("+ ReLU6", Conv2D(padding: .same, activation: .relu6), channels: 20) { min(max($0, 0), 6) },
        finished("+ Sigmoid", Conv2D(padding: .same, activation: .sigmoid), channels: 4) { 1 / (1 + exp(-$0)) },
        finished(
            "+ Clip", Conv2D(padding: .same, activation: .clip(minimum: -0.5, maximum: 1)), channels: 16
        ) { min(max($0, -0.5), 1) },
        finished("1×1 + ReLU6", Conv2D(padding: .same, activation: .relu6), channels: 20, kernel: 1) { min(max($0, 0), 6) },
        finished(
            "1×1 + Clip", Conv2D(padding: .same, activation: .clip(minimum: -0.5, maximum: 1)), channels: 40, kernel: 1
        ) { min(max($0, -0.5), 1) },
        finished(
            "1×1 + residual + ReLU6", Conv2D(padding: .same, hasResidual: true, activation: .relu6), channels: 17, kernel: 1
        ) { min(max($0, 0), 6) },
    ],
    depthwiseFinished,
    [
        byWinograd("8→8", x: [1, 5, 4, 8], outputs: 8),
        byWinograd("16→16, same", x: [5, 7, 6, 16], outputs: 16, padding: .same),
        byWinograd("24→70, odd", x: [5, 5, 7, 24], outputs: 70, padding: .same),
        byWinograd("32→3, one pixel", x: [2, 3, 3, 32], outputs: 3),
        byWinograd(
            "40→33, padding all around", x: [2, 4, 4, 40], outputs: 33,
            padding: .explicit(top: 2, left: 1, bottom: 2, right: 2)),
    ],
].flatMap { $0 }

/// A tile and less than one; edges that cut tiles; several blocks of tiles, several chunks of channels; padding up to the
/// most that an input gradient takes.
private func winogradCases(tile: Int) -> [OperatorCase] {
    let algorithm = ConvolutionAlgorithm.winograd(tile: tile), tolerance = tile == 2 ? 1e-4 : 1e-3
    func cases(_ name: String, x: [Int], w: [Int], padding: Padding = .same, small: Bool = false) -> [OperatorCase] {
        Array(
            family("\(algorithm.name), \(name)", x: x, w: w, padding: padding, algorithm: algorithm, small: small,
                tolerance: tolerance
            ).prefix(2))
    }
    func finish(_ op: Conv2D, channels: Int, _ activation: @escaping (Double) -> Double = { $0 }) -> OperatorCase {
        finished(
            "\(algorithm.name), \(op.hasResidual ? "residual, " : "")\(op.activation.name), \(channels) channels",
            op.computed(by: algorithm), channels: channels, tolerance: tolerance, activation)
    }
    return [
        cases("one tile", x: [1, tile, tile, 1], w: [3, 3, 1, 1], small: true),
        cases("3→2 of 4 × 5", x: [2, 4, 5, 3], w: [3, 3, 3, 2], small: true),
        cases("valid, one row", x: [1, 3, 8, 2], w: [3, 3, 2, 3], padding: .valid, small: true),
        cases(
            "asymmetric padding", x: [1, 4, 5, 2], w: [3, 3, 2, 2],
            padding: .explicit(top: 2, left: 0, bottom: 1, right: 3)),
        cases(
            "padding beyond the kernel", x: [2, 5, 3, 20], w: [3, 3, 20, 4],
            padding: .explicit(top: 3, left: 4, bottom: 5, right: 0)),
        cases("valid, 33→20, pictures of a unit", x: [21, 11, 8, 33], w: [3, 3, 33, 20], padding: .valid),
        cases("17→33", x: [3, 7, 9, 17], w: [3, 3, 17, 33]),
        cases("40→130", x: [1, 8, 8, 40], w: [3, 3, 40, 130]),
        cases("many tiles", x: [2, 37, 33, 5], w: [3, 3, 5, 16], padding: .valid),
        [
            finish(Conv2D(padding: .same, hasBias: false), channels: 5),
            finish(Conv2D(padding: .same, hasResidual: true, activation: .relu), channels: 17) { max($0, 0) },
            finish(Conv2D(padding: .same, activation: .relu6), channels: 16) { min(max($0, 0), 6) },
            finish(Conv2D(padding: .same, hasResidual: true, activation: .silu), channels: 33) { $0 / (1 + exp(-$0)) },
        ],
    ].flatMap { $0 }
}

/// Lines of less than one tile to several, of which many wait for their activation together.
private let depthwiseFinished: [OperatorCase] = [
    (3, 3, [4, 5], 1), (32, 3, [4, 5], 1), (20, 3, [12, 15], 1), (33, 5, [11, 17], 1), (16, 3, [9, 29], 2), (40, 5, [30, 16], 2),
].map { (channels: Int, kernel: Int, size: [Int], stride: Int) in
    let x = [2] + size + [channels], w = [kernel, kernel, 1, channels]
    let strides = Size2D(integerLiteral: stride)
    let reference = ConvolutionReference(x: x, w: w, strides: strides, dilations: 1, padding: .same, groups: channels)
    return OperatorCase(
        "Conv2D depthwise of \(channels), \(kernel)×\(kernel), stride \(stride) + residual + LeakyReLU",
        Conv2D(
            strides: strides, padding: .same, groups: channels, hasResidual: true, activation: .leakyRelu(alpha: 0.25)),
        [.real(x), .real(w), .real([channels]), .real(reference.y)]
    ) { [reference.output(x: $0[0], w: $0[1]).finished(bias: $0[2], residual: $0[3]) { $0 < 0 ? 0.25 * $0 : $0 }] }
}
