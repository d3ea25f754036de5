import ApusGraph

/// y = body(all x along the axes); no axes: all of them.
private func reduced(
    _ x: TestTensor, _ axes: [Int], keep: Bool = false, _ body: ([Double]) -> Double
) -> [TestTensor] {
    let reduces = x.shape.indices.map { d in axes.isEmpty || axes.contains(d) || axes.contains(d - x.shape.count) }
    let kept = x.shape.indices.map { reduces[$0] ? 1 : x.shape[$0] }
    let along = x.shape.indices.map { reduces[$0] ? x.shape[$0] : 1 }
    let y = TestTensor.make(x.dtype, kept) { i in
        body(TestTensor.indices(along).map { j in x[zip(i, j).map { $0 + $1 }] })
    }
    return [TestTensor(x.dtype, keep ? kept : x.shape.indices.filter { !reduces[$0] }.map { x.shape[$0] }, y.values)]
}

private func sum(_ values: [Double]) -> Double { values.reduce(0, +) }
private func mean(_ values: [Double]) -> Double { sum(values) / Double(values.count) }
private func greatest(_ values: [Double]) -> Double {
    values.contains { $0.isNaN } ? .nan : values.max() ?? -.infinity
}
private func least(_ values: [Double]) -> Double { values.contains { $0.isNaN } ? .nan : values.min() ?? .infinity }

private struct Family: Sendable {
    let name: String
    let make: @Sendable ([Int], Bool) -> Operator
    let body: @Sendable ([Double]) -> Double

    /// Rows, columns, images, both around a kept axis, everything, integers, nothing.
    var cases: [OperatorCase] {
        func one(_ shape: [Int], _ axes: [Int], keep: Bool = false, gradient: Bool = false) -> OperatorCase {
            OperatorCase(
                "\(name) \(shape) over \(axes)\(keep ? ", kept" : "")", make(axes, keep), [.real(shape)],
                gradients: gradient ? [0] : []
            ) { reduced($0[0], axes, keep: keep, body) }
        }
        return [
            one([7], [], gradient: true), one([3, 5], [1], gradient: true), one([3, 5], [0], gradient: true),
            one([2, 3, 4], [0, -1], gradient: true), one([2, 3, 4], [1], keep: true, gradient: true),
            one([2, 3, 4], [], keep: true, gradient: true), one([], []), one([4, 1, 3], [1]), one([5, 200], [-1]),
            one([3, 19, 37], [1]), one([2, 9, 21, 40], [1, 2]), one([5, 20, 33], [0, 1], keep: true), one([2, 3, 0, 4], [1, 2]),
            one([2, 3, 2, 3, 2, 3], [1, 3, 5]), one([3, 2, 3, 2, 3, 2, 3, 2], [0, 2, 4, 6]),
            one([0, 3], [0]), one([0, 3], [1]), one([2, 0, 3], [], keep: true),
        ]
    }

    func integers(_ dtype: DType) -> OperatorCase {
        OperatorCase("\(name) of \(dtype.name)", make([1], false), [.integers([3, 40], -50...50, dtype)]) {
            reduced($0[0], [1], body)
        }
    }
}

private let reduceSum = Family(name: "ReduceSum", make: { Reduction(.sum, axes: $0, keepDimensions: $1) }, body: sum)
private let reduceMean = Family(name: "ReduceMean", make: { Reduction(.mean, axes: $0, keepDimensions: $1) }, body: mean)
private let reduceMax = Family(name: "ReduceMax", make: { Reduction(.max, axes: $0, keepDimensions: $1) }, body: greatest)
private let reduceMin = Family(name: "ReduceMin", make: { Reduction(.min, axes: $0, keepDimensions: $1) }, body: least)

/// Two of each extreme: the gradient is half to each, and so is the central difference.
private let ties = TestInput.values(TestTensor(.f32, [2, 5], [1, 3, 3, -2, -2, 0.5, -7, -7, 4, 4]))
private let withNaN = TestInput.values(
    TestTensor(.f32, [2, 40], (0..<80).map { $0 == 17 ? .nan : Double($0 * 7 % 31) }))

let reduceCases: [OperatorCase] =
    reduceSum.cases + reduceMean.cases + reduceMax.cases + reduceMin.cases
    + [reduceSum, reduceMax, reduceMin].flatMap { [$0.integers(.i32), $0.integers(.i64)] }
    + [
        OperatorCase("ReduceMax, ties", Reduction(.max, axes: [1]), [ties], gradients: [0]) { reduced($0[0], [1], greatest) },
        OperatorCase("ReduceMin, ties", Reduction(.min, axes: [1]), [ties], gradients: [0]) { reduced($0[0], [1], least) },
        OperatorCase("ReduceMax, NaN", Reduction(.max, axes: [1]), [withNaN]) { reduced($0[0], [1], greatest) },
        OperatorCase("ReduceMin, NaN", Reduction(.min, axes: [0]), [withNaN]) { reduced($0[0], [0], least) },
        OperatorCase("GlobalAvgPool", Reduction(.globalAvgPool), [.real([2, 3, 4, 5])], gradients: [0]) {
            reduced($0[0], [1, 2], mean)
        },
        OperatorCase("GlobalAvgPool of a signal", Reduction(.globalAvgPool), [.real([1, 50, 33])]) {
            reduced($0[0], [1], mean)
        },
        OperatorCase("GlobalMaxPool", Reduction(.globalMaxPool), [.real([2, 3, 4, 5])], gradients: [0]) {
            reduced($0[0], [1, 2], greatest)
        },
        OperatorCase("BatchCount", BatchCount(), [.real([7, 3])]) { _ in [TestTensor(.f32, [], [7])] },
        OperatorCase("BatchCount along axes", BatchCount(axes: [0, -1]), [.real([2, 3, 4])]) { _ in
            [TestTensor(.f32, [], [8])]
        },
        OperatorCase("BatchCount of all", BatchCount(axes: []), [.real([2, 3, 4])]) { _ in
            [TestTensor(.f32, [], [24])]
        },
    ]

private func argCases(
    _ name: String, _ make: (Int, Bool) -> Operator, _ precedes: @escaping (Double, Double) -> Bool
) -> [OperatorCase] {
    func first(_ values: [Double]) -> Double {
        if let nan = values.firstIndex(where: { $0.isNaN }) { return Double(nan) }
        var best = 0
        for i in values.indices where precedes(values[i], values[best]) { best = i }
        return Double(best)
    }
    func one(_ what: String, _ input: TestInput, _ axis: Int, keep: Bool = false) -> OperatorCase {
        OperatorCase("\(name) \(what)", make(axis, keep), [input]) { reduced($0[0], [axis], keep: keep, first) }
    }
    return [
        one("along the last", .real([3, 10]), -1), one("of many", .real([2, 1000]), 1),
        one("along the first", .real([10, 3]), 0), one("in the middle", .real([2, 5, 40]), 1, keep: true),
        one("of equals", .integers([4, 30], 0...3, .i32), 1), one("of i64", .integers([4, 3], 0...9, .i64), 0),
        one("with NaN", withNaN, 1), one("of ties", ties, 1), one("of no rows", .real([0, 3]), 1),
    ]
}

let argCases: [OperatorCase] =
    argCases("ArgMax", { ArgMax(axis: $0, keepDimensions: $1) }, >)
    + argCases("ArgMin", { ArgMin(axis: $0, keepDimensions: $1) }, <)
