import ApusGraph

/// The ends of slices that go on to the edge.
private let end = Int(Int32.max), front = Int(Int32.min)

/// y[i] = x[source(i)] of x's type.
private func moved(_ x: TestTensor, _ shape: [Int], _ source: ([Int]) -> [Int]) -> [TestTensor] {
    [TestTensor.make(x.dtype, shape) { x[source($0)] }]
}

private func reshaped(_ x: TestTensor, _ shape: [Int]) -> [TestTensor] { [TestTensor(x.dtype, shape, x.values)] }

let reshapeCases: [OperatorCase] = [
    OperatorCase("Flatten", Flatten(), [.real([2, 3, 4])], gradients: [0]) { reshaped($0[0], [2, 12]) },
    OperatorCase("Flatten to one row", Flatten(axis: 0), [.integers([2, 3], 0...9)]) { reshaped($0[0], [1, 6]) },
    OperatorCase("Flatten at the end", Flatten(axis: 3), [.real([2, 3, 4])]) { reshaped($0[0], [24, 1]) },
    OperatorCase("Flatten a negative axis", Flatten(axis: -1), [.real([2, 3, 4])]) { reshaped($0[0], [6, 4]) },
    OperatorCase("Flatten a scalar", Flatten(axis: 0), [.real([])]) { reshaped($0[0], [1, 1]) },
    OperatorCase("Reshape", Reshape([4, 6]), [.real([2, 3, 4])], gradients: [0]) { reshaped($0[0], [4, 6]) },
    OperatorCase("Reshape, keep and infer", Reshape([0, -1, 2]), [.real([3, 8])]) { reshaped($0[0], [3, 4, 2]) },
    OperatorCase("Reshape to a scalar", Reshape([]), [.booleans([1, 1])]) { reshaped($0[0], []) },
    OperatorCase("Reshape nothing", Reshape([-1, 5]), [.real([0, 3])]) { reshaped($0[0], [0, 5]) },
    OperatorCase("ReshapeLike", ReshapeLike(), [.real([2, 6]), .integers([3, 4], 0...1)]) {
        reshaped($0[0], [3, 4])
    },
]

private func transposeCase(_ shape: [Int], _ permutation: [Int], _ input: TestInput, gradient: Bool = false)
    -> OperatorCase
{
    OperatorCase(
        "Transpose \(shape) by \(permutation)", Transpose(permutation), [input], gradients: gradient ? [0] : []
    ) { inputs in
        moved(inputs[0], permutation.map { shape[$0] }) { i in
            var source = i
            for (to, from) in permutation.enumerated() { source[from] = i[to] }
            return source
        }
    }
}

let transposeCases: [OperatorCase] = [
    transposeCase([], [], .real([])),
    transposeCase([3, 5], [1, 0], .real([3, 5]), gradient: true),
    transposeCase([2, 3, 4], [2, 0, 1], .real([2, 3, 4]), gradient: true),
    transposeCase([2, 3, 4, 5], [0, 3, 1, 2], .real([2, 3, 4, 5])),
    transposeCase([2, 3, 4, 5], [0, 2, 3, 1], .integers([2, 3, 4, 5], -9...9, .i16)),
    transposeCase([37, 70], [1, 0], .real([37, 70])),
    transposeCase([64, 33], [1, 0], .integers([64, 33], 0...255, .u8)),
    transposeCase([3, 17, 18], [2, 1, 0], .integers([3, 17, 18], -99...99, .i64)),
    transposeCase([2, 1, 3, 2, 1, 2, 3, 2], [7, 5, 3, 1, 6, 4, 2, 0], .booleans([2, 1, 3, 2, 1, 2, 3, 2])),
    transposeCase([4, 0, 2], [1, 2, 0], .real([4, 0, 2])),
]

private func concatenated(_ inputs: [TestTensor], _ axis: Int) -> [TestTensor] {
    var shape = inputs[0].shape
    shape[axis] = inputs.reduce(0) { $0 + $1.shape[axis] }
    return [
        TestTensor.make(inputs[0].dtype, shape) { i in
            var i = i
            for input in inputs {
                if i[axis] < input.shape[axis] { return input[i] }
                i[axis] -= input.shape[axis]
            }
            return .nan
        }
    ]
}

private func pieces(_ x: TestTensor, _ axis: Int, _ sizes: [Int]) -> [TestTensor] {
    var start = 0
    return sizes.map { size in
        var shape = x.shape
        shape[axis] = size
        defer { start += size }
        return TestTensor.make(x.dtype, shape) { i in
            var i = i
            i[axis] += start
            return x[i]
        }
    }
}

let concatCases: [OperatorCase] = [
    OperatorCase("Concat one", Concat(axis: 0), [.real([3])], gradients: [0]) { concatenated($0, 0) },
    OperatorCase(
        "Concat channels", Concat(axis: -1), [.real([2, 3, 4]), .real([2, 3, 1]), .real([2, 3, 5])],
        gradients: [0, 1, 2]
    ) { concatenated($0, 2) },
    OperatorCase("Concat in the middle", Concat(axis: 1), [.real([2, 2, 3]), .real([2, 4, 3])], gradients: [1]) {
        concatenated($0, 1)
    },
    OperatorCase("Concat with nothing", Concat(axis: 0), [.integers([2, 3], 0...9), .integers([0, 3], 0...9)]) {
        concatenated($0, 0)
    },
    OperatorCase("Split", Split(axis: 1, sizes: [1, 3, 2]), [.real([2, 6, 3])], gradients: [0]) {
        pieces($0[0], 1, [1, 3, 2])
    },
    OperatorCase(
        "Split, two of three used", Split(axis: 0, sizes: [1, 2, 3]), [.real([6])], gradients: [0], through: [0, 2]
    ) { pieces($0[0], 0, [1, 2, 3]) },
    OperatorCase("Split, a piece of nothing", Split(axis: -1, sizes: [4, 0, 1]), [.integers([3, 5], 0...9, .i32)]) {
        pieces($0[0], 1, [4, 0, 1])
    },
]

/// The positions that a slice takes along an axis of `length`, found by trying them all.
private func positions(_ start: Int, _ stop: Int, _ step: Int, _ length: Int) -> [Int] {
    let start = start < 0 ? start + length : start, stop = stop < 0 ? stop + length : stop
    if step > 0 {
        let first = max(start, 0)
        return (0..<length).filter { $0 >= first && $0 < stop && ($0 - first) % step == 0 }
    }
    let first = min(start, length - 1)
    return (0..<length).reversed().filter { $0 <= first && $0 > stop && (first - $0) % -step == 0 }
}

private func slices(
    _ shape: [Int], _ axes: [Int], _ starts: [Int], _ ends: [Int], _ steps: [Int] = []
) -> [OperatorCase] {
    var taken = shape.map { [Int](0..<$0) }
    for (i, axis) in axes.enumerated() {
        let axis = axis < 0 ? axis + shape.count : axis
        taken[axis] = positions(starts[i], ends[i], steps.isEmpty ? 1 : steps[i], shape[axis])
    }
    let size = taken.map { $0.count }
    let what = "\(shape) along \(axes) from \(starts) to \(ends) by \(steps)"
    func source(_ i: [Int]) -> [Int] { zip(taken, i).map { $0[$1] } }
    return [
        OperatorCase(
            "Slice \(what)", Slice(axes: axes, starts: starts, ends: ends, steps: steps), [.real(shape)],
            gradients: size.contains(0) ? [] : [0]
        ) { moved($0[0], size, source) },
        OperatorCase(
            "SliceGradient \(what)", SliceGradient(axes: axes, starts: starts, ends: ends, steps: steps),
            [.real(size), .real(shape)]
        ) { inputs in
            var dx = TestTensor.make(.f32, shape) { _ in 0 }
            for i in TestTensor.indices(size) { dx[source(i)] = inputs[0][i] }
            return [dx]
        },
    ]
}

let sliceCases: [OperatorCase] = [
    slices([5, 4], [0], [1], [3]),
    slices([5, 4], [1, 0], [-3, 0], [-1, end]),
    slices([7, 3], [0], [1], [end], [2]),
    slices([7, 3], [0], [end], [front], [-1]),
    slices([7, 3], [-2, -1], [-2, -1], [0, front], [-3, -1]),
    slices([2, 9, 3], [1], [-100], [100], [4]),
    slices([4, 4], [0], [3], [1]),
    slices([0, 4], [0, 1], [0, 1], [end, 3], [-1, 1]),
    slices([3], [], [], []),
].flatMap { $0 }

/// Where padded position i comes from; nil is the constant.
private func padSource(_ mode: Pad.Mode, _ i: Int, _ length: Int) -> Int? {
    if i >= 0 && i < length { return i }
    switch mode {
    case .constant: return nil
    case .edge: return i < 0 ? 0 : length - 1
    case .reflect: return length == 1 ? 0 : padSource(mode, i < 0 ? -i : 2 * (length - 1) - i, length)
    }
}

private func padCase(
    _ input: TestInput, _ shape: [Int], _ before: [Int], _ after: [Int], _ mode: Pad.Mode = .constant,
    value: Float = 0, gradients: [Int] = []
) -> OperatorCase {
    OperatorCase(
        "Pad \(shape) by \(before) and \(after), \(mode) \(value)",
        Pad(before: before, after: after, mode: mode, value: value), [input], gradients: gradients
    ) { inputs in
        let x = inputs[0]
        return [
            TestTensor.make(x.dtype, shape.indices.map { before[$0] + shape[$0] + after[$0] }) { i in
                let source = i.indices.compactMap { padSource(mode, i[$0] - before[$0], shape[$0]) }
                return source.count == shape.count ? x[source] : Double(value)
            }
        ]
    }
}

let padCases: [OperatorCase] = [
    padCase(.real([5]), [5], [2], [0], gradients: [0]),
    padCase(.real([2, 3, 4, 2]), [2, 3, 4, 2], [0, 1, 2, 0], [0, 2, 0, 0], value: -1.5, gradients: [0]),
    padCase(.real([2, 3, 4]), [2, 3, 4], [0, 0, 0], [0, 0, 0], gradients: [0]),
    padCase(.integers([3, 4], -9...9, .i8), [3, 4], [1, 2], [3, 4], value: -7),
    padCase(.integers([0, 2], 0...1), [0, 2], [1, 1], [1, 0], value: 3),
    padCase(.real([3, 4]), [3, 4], [1, 2], [2, 3], .edge, gradients: [0]),
    padCase(.real([1, 3]), [1, 3], [4, 0], [1, 1], .edge, gradients: [0]),
    padCase(.real([3, 4]), [3, 4], [2, 0], [2, 3], .reflect, gradients: [0]),
    padCase(.real([2, 5]), [2, 5], [1, 1], [0, 2], .reflect, gradients: [0]),
    padCase(.integers([3, 1], 0...99), [3, 1], [7, 2], [9, 1], .reflect),
]

let expandCases: [OperatorCase] = [
    OperatorCase("Expand", Expand([2, 3, 4]), [.real([3, 1])], gradients: [0]) {
        moved($0[0], [2, 3, 4]) { [$0[1], 0] }
    },
    OperatorCase("Expand, keep", Expand([0, 5]), [.integers([3, 1], 0...9, .u16)]) {
        moved($0[0], [3, 5]) { [$0[0], 0] }
    },
    OperatorCase("Expand by fewer dimensions", Expand([1, 3]), [.real([2, 4, 1])], gradients: [0]) {
        moved($0[0], [2, 4, 3]) { [$0[0], $0[1], 0] }
    },
    OperatorCase("Expand a scalar", Expand([2, 2]), [.booleans([])]) { moved($0[0], [2, 2]) { _ in [] } },
    OperatorCase("ExpandLike", ExpandLike(axes: [1, -1]), [.real([2, 4]), .real([2, 3, 4, 5])]) {
        moved($0[0], [2, 3, 4, 5]) { [$0[0], $0[2]] }
    },
    OperatorCase(
        "ExpandLike, kept", ExpandLike(axes: [0], keepDimensions: true), [.integers([1, 3], 0...9), .real([4, 3])]
    ) { moved($0[0], [4, 3]) { [0, $0[1]] } },
    OperatorCase("ExpandLike, all", ExpandLike(), [.real([]), .real([2, 3])]) {
        moved($0[0], [2, 3]) { _ in [] }
    },
]
