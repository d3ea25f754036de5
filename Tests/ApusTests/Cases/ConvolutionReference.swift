import ApusGraph

/// The definition of convolution and of its gradients, which are one sum over triples (x, w, y) of elements that meet:
/// y = Σ x·w, dx = Σ dy·w, dw = Σ x·dy.
struct ConvolutionReference {
    var x, w, y: [Int]
    var strides = (1, 1), dilations = (1, 1)
    var top = 0, left = 0
    var groups = 1

    /// The convolution of `x` with `w`; the sizes follow from the padding.
    init(x: [Int], w: [Int], strides: Size2D, dilations: Size2D, padding: Padding, groups: Int) {
        self.x = x
        self.w = w
        self.groups = groups
        self.strides = (strides.height, strides.width)
        self.dilations = (dilations.height, dilations.width)
        let reach = ((w[0] - 1) * dilations.height + 1, (w[1] - 1) * dilations.width + 1)
        switch padding {
        case .valid:
            y = [x[0], (x[1] - reach.0) / strides.height + 1, (x[2] - reach.1) / strides.width + 1, w[3]]
        case .same:
            let size = ((x[1] - 1) / strides.height + 1, (x[2] - 1) / strides.width + 1)
            y = [x[0], size.0, size.1, w[3]]
            top = max(0, (size.0 - 1) * strides.height + reach.0 - x[1]) / 2
            left = max(0, (size.1 - 1) * strides.width + reach.1 - x[2]) / 2
        case .explicit(let top, let left, let bottom, let right):
            (self.top, self.left) = (top, left)
            y = [
                x[0], (x[1] + top + bottom - reach.0) / strides.height + 1,
                (x[2] + left + right - reach.1) / strides.width + 1, w[3],
            ]
        }
    }

    /// Calls `body` with the positions in x, w and y of every triple.
    private func forEach(_ body: (Int, Int, Int) -> Void) {
        let (h, width, channels) = (x[1], x[2], x[3]), (oh, ow, outputs) = (y[1], y[2], y[3])
        let depth = channels / groups, columns = outputs / groups
        for n in 0..<x[0] {
            for i in 0..<oh {
                for j in 0..<ow {
                    for ky in 0..<w[0] {
                        for kx in 0..<w[1] {
                            let row = i * strides.0 + ky * dilations.0 - top
                            let column = j * strides.1 + kx * dilations.1 - left
                            guard row >= 0 && row < h && column >= 0 && column < width else { continue }
                            let xAt = ((n * h + row) * width + column) * channels
                            let wAt = (ky * w[1] + kx) * depth * outputs
                            let yAt = ((n * oh + i) * ow + j) * outputs
                            for o in 0..<outputs {
                                let first = xAt + o / columns * depth
                                for c in 0..<depth { body(first + c, wAt + c * outputs + o, yAt + o) }
                            }
                        }
                    }
                }
            }
        }
    }

    private func sum(_ shape: [Int], _ term: (Int, Int, Int) -> (at: Int, value: Double)) -> TestTensor {
        var values = [Double](repeating: 0, count: shape.reduce(1, *))
        forEach { x, w, y in
            let term = term(x, w, y)
            values[term.at] += term.value
        }
        return TestTensor(.f32, shape, values)
    }

    func output(x: TestTensor, w: TestTensor) -> TestTensor {
        sum(y) { (at: $2, value: x.values[$0] * w.values[$1]) }
    }

    func inputGradient(dy: TestTensor, w: TestTensor) -> TestTensor {
        sum(x) { (at: $0, value: dy.values[$2] * w.values[$1]) }
    }

    func weightGradient(x: TestTensor, dy: TestTensor) -> TestTensor {
        sum(w) { (at: $1, value: x.values[$0] * dy.values[$2]) }
    }
}

extension TestTensor {
    /// act(self + bias + residual), each where given.
    func finished(bias: TestTensor?, residual: TestTensor?, _ activation: (Double) -> Double = { $0 }) -> TestTensor {
        var result = self
        let channels = shape.last!
        for i in values.indices {
            result.values[i] = activation(
                values[i] + (bias?.values[i % channels] ?? 0) + (residual?.values[i] ?? 0))
        }
        return result
    }
}
