import ApusGraph

/// An index counted from the end when negative; nil outside.
private func position(_ index: Double, _ length: Int) -> Int? {
    let i = Int(index) + (index < 0 ? length : 0)
    return i >= 0 && i < length ? i : nil
}

/// The table's index for y's; nil for a zero.
private func source(_ i: [Int], _ table: [Int], _ indices: TestTensor, _ axis: Int) -> [Int]? {
    let inner = axis + indices.shape.count
    return position(indices[[Int](i[axis..<inner])], table[axis]).map { i[..<axis] + [$0] + i[inner...] }
}

private func gathered(_ inputs: [TestTensor], _ axis: Int) -> [TestTensor] {
    let table = inputs[0], indices = inputs[1]
    let shape = table.shape[..<axis] + indices.shape + table.shape[(axis + 1)...]
    return [
        TestTensor.make(table.dtype, [Int](shape)) { i in
            source(i, table.shape, indices, axis).map { table[$0] } ?? 0
        }
    ]
}

private func scattered(_ inputs: [TestTensor], _ axis: Int) -> [TestTensor] {
    var table = inputs[2].map { _ in 0 }
    for i in TestTensor.indices(inputs[0].shape) {
        if let j = source(i, table.shape, inputs[1], axis) { table[j] += inputs[0][i] }
    }
    return [table]
}

private func oneHot(_ indices: TestTensor, _ depth: Int, on: Double = 1, off: Double = 0) -> [TestTensor] {
    [
        TestTensor.make(.f32, indices.shape + [depth]) { i in
            position(indices[i.dropLast()], depth) == i[i.count - 1] ? on : off
        }
    ]
}

let gatherCases: [OperatorCase] = [
    OperatorCase("Gather rows", Gather(), [.real([5, 3]), .integers([4], 0...4)], gradients: [0]) {
        gathered($0, 0)
    },
    OperatorCase(
        "Gather repeated rows", Gather(), [.real([3, 70]), .integers([2, 9], -3...2, .i32)], gradients: [0]
    ) { gathered($0, 0) },
    OperatorCase(
        "Gather along the middle", Gather(axis: 1), [.real([2, 4, 3]), .integers([3, 2], -6...5)], gradients: [0]
    ) { gathered($0, 1) },
    OperatorCase("Gather one", Gather(axis: -1), [.integers([2, 4], 0...99, .u8), .integers([], 0...3)]) {
        gathered($0, 1)
    },
    OperatorCase("Gather from nothing", Gather(), [.real([0, 3]), .integers([2], 0...3)]) { gathered($0, 0) },
    OperatorCase("Gather nothing", Gather(), [.real([4, 3]), .integers([0], 0...3)]) { gathered($0, 0) },
    OperatorCase(
        "GatherGradient", GatherGradient(), [.real([6, 100]), .integers([6], -4...4), .real([4, 100])]
    ) { scattered($0, 0) },
    OperatorCase(
        "GatherGradient along the last", GatherGradient(axis: -1),
        [.real([3, 2, 2]), .integers([2, 2], 0...4, .i32), .real([3, 5])]
    ) { scattered($0, 1) },
    OperatorCase(
        "GatherGradient of integers", GatherGradient(),
        [.integers([6, 3], -9...9, .i32), .integers([6], -4...4), .integers([4, 3], 0...1, .i32)]
    ) { scattered($0, 0) },
    OperatorCase(
        "GatherGradient of long integers", GatherGradient(axis: 1),
        [.integers([2, 5], -9...9, .i64), .integers([5], 0...2), .integers([2, 3], 0...1, .i64)]
    ) { scattered($0, 1) },
    OperatorCase("OneHot", OneHot(depth: 4), [.integers([5], 0...3)]) { oneHot($0[0], 4) },
    OperatorCase(
        "OneHot, others", OneHot(depth: 3, onValue: 0.9, offValue: 0.05), [.integers([2, 3, 2], -5...5, .i32)]
    ) { oneHot($0[0], 3, on: Double(Float(0.9)), off: Double(Float(0.05))) },
    OperatorCase("OneHot of a scalar", OneHot(depth: 2), [.integers([], 0...1)]) { oneHot($0[0], 2) },
]
