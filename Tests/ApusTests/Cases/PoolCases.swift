import ApusGraph

/// The elements of x inside each window, as positions, in the order of the definition.
struct PoolWindows {
    var x, y: [Int]
    var inside: [[Int]] = []
    /// The number of the tap that each of those is.
    var taps: [[Int]] = []

    init(x: [Int], kernel: Size2D, strides: Size2D, padding: Padding) {
        self.x = x
        let place = ConvolutionReference(
            x: x, w: [kernel.height, kernel.width, x[3], x[3]], strides: strides, dilations: 1, padding: padding,
            groups: 1)
        y = place.y
        for position in TestTensor.indices(y) {
            var window: [Int] = [], numbers: [Int] = []
            for ky in 0..<kernel.height {
                for kx in 0..<kernel.width {
                    let row = position[1] * strides.height + ky - place.top
                    let column = position[2] * strides.width + kx - place.left
                    guard row >= 0 && row < x[1] && column >= 0 && column < x[2] else { continue }
                    numbers.append(ky * kernel.width + kx)
                    window.append(((position[0] * x[1] + row) * x[2] + column) * x[3] + position[3])
                }
            }
            inside.append(window)
            taps.append(numbers)
        }
    }

    /// Per window the number of the first tap that is the greatest.
    func firstGreatest(_ x: TestTensor) -> TestTensor {
        TestTensor(
            .u8, y,
            inside.indices.map { i in
                let largest = greatest(x, inside[i])
                return Double(taps[i][inside[i].firstIndex { x.values[$0] == largest }!])
            })
    }

    func map(_ body: ([Int]) -> Double) -> TestTensor { TestTensor(.f32, y, inside.map(body)) }

    /// Every window gives `share` of its dy, by element.
    func spread(_ dy: TestTensor, _ share: ([Int], _ element: Int) -> Double) -> TestTensor {
        var dx = [Double](repeating: 0, count: x.reduce(1, *))
        for (window, value) in zip(inside, dy.values) {
            for element in window { dx[element] += value * share(window, element) }
        }
        return TestTensor(.f32, x, dx)
    }
}

private func greatest(_ x: TestTensor, _ window: [Int]) -> Double { window.map { x.values[$0] }.max()! }

/// Both pools and their gradients; central differences where `small`.
private func family(
    _ name: String, x: [Int], kernel: Size2D, strides: Size2D, padding: Padding = .valid, countsPadding: Bool = false,
    small: Bool = false
) -> [OperatorCase] {
    let windows = PoolWindows(x: x, kernel: kernel, strides: strides, padding: padding)
    let area = kernel.height * kernel.width
    let average = AvgPool(kernel: kernel, strides: strides, padding: padding, countsPadding: countsPadding)
    let averageGradient = AvgPoolGradient(
        kernel: kernel, strides: strides, padding: padding, countsPadding: countsPadding)
    func maximum(_ x: TestTensor) -> TestTensor { windows.map { greatest(x, $0) } }
    let shift = TestTensor.make(.f32, x) { index in Double(index.reduce(0) { $0 * 7 + $1 } % 11) - 5 }
    return [
        OperatorCase(
            "MaxPool \(name)", MaxPool(kernel: kernel, strides: strides, padding: padding), [.real(x)],
            gradients: small ? [0] : []
        ) { [maximum($0[0])] },
        OperatorCase(
            "MaxPoolGradient \(name)", MaxPoolGradient(kernel: kernel, strides: strides, padding: padding),
            [.values(shift), .values(maximum(shift)), .real(windows.y)]
        ) { inputs in
            [
                windows.spread(inputs[2]) { window, element in
                    element == window.first { inputs[0].values[$0] == greatest(inputs[0], window) } ? 1 : 0
                }
            ]
        },
        OperatorCase(
            "MaxPoolIndex \(name)", MaxPoolIndex(kernel: kernel, strides: strides, padding: padding), [.values(shift)]
        ) { [maximum($0[0]), windows.firstGreatest($0[0])] },
        OperatorCase(
            "MaxPoolIndex by differences \(name)", MaxPoolIndex(kernel: kernel, strides: strides, padding: padding),
            [.real(x)], gradients: small ? [0] : [], through: [0]
        ) { [maximum($0[0]), windows.firstGreatest($0[0])] },
        OperatorCase(
            "MaxPoolIndexGradient \(name)", MaxPoolIndexGradient(kernel: kernel, strides: strides, padding: padding),
            [.values(windows.firstGreatest(shift)), .real(windows.y), .values(shift)]
        ) { inputs in
            [
                windows.spread(inputs[1]) { window, element in
                    element == window.first { inputs[2].values[$0] == greatest(inputs[2], window) } ? 1 : 0
                }
            ]
        },
        OperatorCase("AvgPool \(name)", average, [.real(x)], gradients: small ? [0] : []) { inputs in
            [
                windows.map { window in
                    window.reduce(0) { $0 + inputs[0].values[$1] } / Double(countsPadding ? area : window.count)
                }
            ]
        },
        OperatorCase("AvgPoolGradient \(name)", averageGradient, [.real(windows.y), .real(x)]) { inputs in
            [windows.spread(inputs[0]) { window, _ in 1 / Double(countsPadding ? area : window.count) }]
        },
    ]
}

/// A convolution with ReLU under a 2 × 2 pool, and the gradient of its weights.
private func convolved(_ name: String, x: [Int], w: [Int], padding: Padding) -> [OperatorCase] {
    let convolution = ConvolutionReference(x: x, w: w, strides: 1, dilations: 1, padding: padding, groups: 1)
    let windows = PoolWindows(x: convolution.y, kernel: 2, strides: 2, padding: .valid)
    let shift = TestTensor.make(.f32, convolution.y) { index in Double(index.reduce(0) { $0 * 7 + $1 } % 11) - 5 }
    return [
        OperatorCase(
            "Conv2DMaxPool \(name)",
            Conv2DMaxPool(Conv2D(padding: padding, activation: .relu), MaxPoolIndex(kernel: 2)),
            [.real(x), .real(w), .real([w[3]])], tolerance: 1e-4
        ) { inputs in
            let z = convolution.output(x: inputs[0], w: inputs[1]).finished(bias: inputs[2], residual: nil)
                .map { max(0, $0) }
            return [windows.map { greatest(z, $0) }, windows.firstGreatest(z)]
        },
        OperatorCase(
            "Conv2DMaxPool without bias \(name)",
            Conv2DMaxPool(Conv2D(padding: padding, hasBias: false), MaxPoolIndex(kernel: 2)), [.real(x), .real(w)],
            tolerance: 1e-4
        ) { inputs in
            let z = convolution.output(x: inputs[0], w: inputs[1])
            return [windows.map { greatest(z, $0) }, windows.firstGreatest(z)]
        },
        OperatorCase(
            "Conv2DMaxPoolWeightGradient \(name)",
            Conv2DMaxPoolWeightGradient(Conv2DWeightGradient(padding: padding), MaxPoolIndexGradient(kernel: 2)),
            [.real(x), .values(windows.firstGreatest(shift)), .real(windows.y), .real(w)], tolerance: 1e-4
        ) { inputs in
            let dz = windows.spread(inputs[2]) { window, element in
                element == window.first { shift.values[$0] == greatest(shift, window) } ? 1 : 0
            }
            return [convolution.weightGradient(x: inputs[0], dy: dz)]
        },
    ]
}

let poolCases: [OperatorCase] = [
    convolved("3 → 20, same", x: [5, 9, 8, 3], w: [3, 3, 3, 20], padding: .same),
    convolved("1 → 5, one image", x: [1, 7, 7, 1], w: [3, 3, 1, 5], padding: .valid),
    convolved("8 → 16", x: [18, 6, 8, 8], w: [3, 3, 8, 16], padding: .valid),
    family("1×1", x: [1, 1, 1, 1], kernel: 1, strides: 1, small: true),
    family("2×2, stride 2", x: [2, 4, 6, 3], kernel: 2, strides: 2, small: true),
    family("2×2, stride 2, rest left over", x: [1, 5, 7, 2], kernel: 2, strides: 2, small: true),
    family("3×3, stride 1, same", x: [1, 4, 5, 2], kernel: 3, strides: 1, padding: .same, small: true),
    family("3×3, stride 2, same", x: [1, 5, 6, 2], kernel: 3, strides: 2, padding: .same, small: true),
    family("3×2, stride 3 and 1", x: [1, 7, 4, 2], kernel: Size2D(3, 2), strides: Size2D(3, 1), small: true),
    family("2×2, stride 3", x: [1, 8, 7, 1], kernel: 2, strides: 3, small: true),
    family(
        "3×3, asymmetric padding", x: [1, 4, 5, 2], kernel: 3, strides: 2,
        padding: .explicit(top: 2, left: 0, bottom: 1, right: 2), small: true),
    family(
        "3×3, padding counted", x: [1, 4, 5, 2], kernel: 3, strides: 2,
        padding: .explicit(top: 1, left: 1, bottom: 1, right: 1), countsPadding: true, small: true),
    family("4×5 over all", x: [2, 4, 5, 3], kernel: Size2D(4, 5), strides: 1, small: true),
    family("2×2, 17 channels", x: [3, 6, 4, 17], kernel: 2, strides: 2),
    family("3×3, 32 channels, same", x: [2, 7, 5, 32], kernel: 3, strides: 2, padding: .same),
    family("3×3, 70 channels", x: [1, 5, 6, 70], kernel: 3, strides: 1, padding: .same, countsPadding: true),
    [
        OperatorCase(
            "MaxPool of NaN and infinities", MaxPool(kernel: 2),
            [.values(TestTensor(.f32, [1, 2, 4, 1], [1, .nan, -.infinity, -.infinity, 2, 3, -.infinity, -.infinity]))]
        ) { _ in [TestTensor(.f32, [1, 1, 2, 1], [.nan, -.infinity])] },
        maxPoolOfNaNAmongChannels(),
        OperatorCase(
            "MaxPoolIndex of NaN and infinities", MaxPoolIndex(kernel: 2),
            [.values(TestTensor(.f32, [1, 2, 4, 1], [1, .nan, -.infinity, -.infinity, .nan, 3, -.infinity, -.infinity]))]
        ) { _ in [TestTensor(.f32, [1, 1, 2, 1], [.nan, -.infinity]), TestTensor(.u8, [1, 1, 2, 1], [1, 0])] },
    ],
].flatMap { $0 }

/// One tap of every ninth channel is NaN, the others are −2, −1, 0, 1.
private func maxPoolOfNaNAmongChannels() -> OperatorCase {
    var x = [Double](), y = [Double]()
    for tap in 0..<4 {
        for channel in 0..<40 { x.append(tap == 1 && channel % 9 == 3 ? .nan : Double(tap) - 2) }
    }
    for channel in 0..<40 { y.append(channel % 9 == 3 ? .nan : 1) }
    let wanted = TestTensor(.f32, [1, 1, 1, 40], y)
    return OperatorCase("MaxPool of NaN among channels", MaxPool(kernel: 2), [.values(TestTensor(.f32, [1, 2, 2, 40], x))]) { _ in
        [wanted]
    }
}
