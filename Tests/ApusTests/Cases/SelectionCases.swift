import ApusGraph

/// Positions of a row's k first elements, by a stable sort.
private func top(_ row: [Double], _ k: Int, _ smallest: Bool) -> [Int] {
    func key(_ x: Double) -> Double { x.isNaN ? .infinity : x }
    let order = row.indices.sorted { i, j in
        let a = key(row[i]), b = key(row[j])
        return a == b ? (row[i].isNaN == row[j].isNaN ? i < j : row[i].isNaN != smallest) : smallest ? a < b : a > b
    }
    return [Int](order.prefix(k))
}

private func topK(_ x: TestTensor, _ k: Int, _ axis: Int, smallest: Bool = false) -> [TestTensor] {
    var shape = x.shape
    shape[axis] = min(k, x.shape[axis])
    func chosen(_ i: [Int]) -> [Int] {
        var index = i
        let row = (0..<x.shape[axis]).map { position in
            index[axis] = position
            return x[index]
        }
        index[axis] = top(row, k, smallest)[i[axis]]
        return index
    }
    return [
        TestTensor.make(x.dtype, shape) { x[chosen($0)] }, TestTensor.make(.i64, shape) { Double(chosen($0)[axis]) },
    ]
}

private func nonZero(_ x: TestTensor) -> [TestTensor] {
    let found = TestTensor.indices(x.shape).filter { x[$0] != 0 }
    return [
        TestTensor.make(.i64, [x.values.count, x.shape.count]) { $0[0] < found.count ? Double(found[$0[0]][$0[1]]) : 0 },
        TestTensor.make(.i64, []) { _ in Double(found.count) },
    ]
}

/// Greedily, class by class.
private func suppressed(_ inputs: [TestTensor], _ op: NonMaxSuppression) -> [TestTensor] {
    let boxes = inputs[0], scores = inputs[1]
    func corners(_ batch: Int, _ i: Int) -> [Double] {
        let v = (0..<4).map { boxes[[batch, i, $0]] }
        return op.isCentered
            ? [v[1] - v[3] / 2, v[0] - v[2] / 2, v[1] + v[3] / 2, v[0] + v[2] / 2]
            : [min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3])]
    }
    func overlap(_ a: [Double], _ b: [Double]) -> Double {
        let shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
        return shared == 0 ? 0 : shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)
    }
    var found: [[Int]] = []
    let count = scores.shape[2]
    for batch in 0..<scores.shape[0] {
        for label in 0..<scores.shape[1] {
            var taken: [Int] = []
            for i in top((0..<count).map { scores[[batch, label, $0]] }, count, false)
            where taken.count < op.maximumPerClass && scores[[batch, label, i]] > Double(op.scoreThreshold ?? -.infinity)
                && taken.allSatisfy({ overlap(corners(batch, $0), corners(batch, i)) <= Double(op.iouThreshold) })
            { taken.append(i) }
            found += taken.map { [batch, label, $0] }
        }
    }
    let room = scores.shape[0] * scores.shape[1] * min(op.maximumPerClass, count)
    return [
        TestTensor.make(.i64, [room, 3]) { $0[0] < found.count ? Double(found[$0[0]][$0[1]]) : 0 },
        TestTensor.make(.i64, []) { _ in Double(found.count) },
    ]
}

private func suppression(
    _ name: String, _ op: NonMaxSuppression, batch: Int = 1, classes: Int = 1, boxes: Int
) -> OperatorCase {
    OperatorCase(
        "NonMaxSuppression " + name, op, [.real([batch, boxes, 4], 0...1), .real([batch, classes, boxes], 0...1)]
    ) { suppressed($0, op) }
}

let selectionCases: [OperatorCase] = [
    OperatorCase("TopK", TopK(3), [.real([4, 10])]) { topK($0[0], 3, 1) },
    OperatorCase("TopK of all, smallest first", TopK(99, smallest: true), [.real([2, 100])]) {
        topK($0[0], 99, 1, smallest: true)
    },
    OperatorCase("TopK of fewer", TopK(9, axis: 1), [.real([2, 4, 3])]) { topK($0[0], 9, 1) },
    OperatorCase("TopK of equal ones", TopK(5, axis: 0), [.integers([20, 3], 0...2, .i32)]) { topK($0[0], 5, 0) },
    OperatorCase("TopK of bytes", TopK(4, smallest: true), [.integers([3, 50], 0...255, .u8)]) {
        topK($0[0], 4, 1, smallest: true)
    },
    OperatorCase("TopK of i64", TopK(2), [.integers([3, 7], -9...9)]) { topK($0[0], 2, 1) },
    OperatorCase("TopK of none", TopK(0), [.real([3, 7])]) { topK($0[0], 0, 1) },
    OperatorCase("TopK of nothing", TopK(2), [.real([0, 7])]) { topK($0[0], 2, 1) },
    OperatorCase(
        "TopK of special floats", TopK(6),
        [.values(TestTensor(.f32, [6], [0, -0.0, .nan, -.infinity, .infinity, -1]))]
    ) { topK($0[0], 6, 0) },
    OperatorCase("NonZero", NonZero(), [.integers([3, 4], -1...1, .i32)]) { nonZero($0[0]) },
    OperatorCase("NonZero of flags", NonZero(), [.booleans([50])]) { nonZero($0[0]) },
    OperatorCase(
        "NonZero of floats", NonZero(), [.values(TestTensor(.f32, [1, 2, 3], [0, -0.0, .nan, 1e-40, 0, -3]))]
    ) { nonZero($0[0]) },
    OperatorCase("NonZero of zeros", NonZero(), [.integers([2, 3], 0...0)]) { nonZero($0[0]) },
    suppression("", NonMaxSuppression(maximumPerClass: 5, iouThreshold: 0.3), boxes: 20),
    suppression(
        "of batches and classes", NonMaxSuppression(maximumPerClass: 4, iouThreshold: 0.2, scoreThreshold: 0.6), batch: 2,
        classes: 3, boxes: 15),
    suppression(
        "of centered boxes", NonMaxSuppression(maximumPerClass: 99, iouThreshold: 0.1, isCentered: true), boxes: 30),
    suppression("of none", NonMaxSuppression(maximumPerClass: 3, iouThreshold: 0.5, scoreThreshold: 2), boxes: 4),
    OperatorCase(
        "Trim", Trim(dimension: 0), [.real([6, 3]), .values(TestTensor(.i64, [], [4]))]
    ) { inputs in [TestTensor.make(.f32, [4, 3]) { inputs[0][$0] }] },
    OperatorCase("Trim to nothing", Trim(dimension: 0), [.integers([5], 0...9, .u8), .values(TestTensor(.i64, [], [0]))]) {
        _ in [TestTensor.make(.u8, [0]) { _ in 0 }]
    },
]
