import ApusGraph

/// The definition for equal batches or a single one on either side.
private func matMul(_ a: TestTensor, _ b: TestTensor, _ transposeA: Bool, _ transposeB: Bool) -> [TestTensor] {
    func matrix(_ t: TestTensor, _ transposed: Bool) -> (Int, Int) {
        let rows = t.shape[t.shape.count - 2], columns = t.shape[t.shape.count - 1]
        return transposed ? (columns, rows) : (rows, columns)
    }
    let (m, k) = matrix(a, transposeA), (_, n) = matrix(b, transposeB)
    let batchA = a.count / (m * k), batchB = b.count / (k * n)
    let leading = a.shape.count >= b.shape.count ? a.shape.dropLast(2) : b.shape.dropLast(2)
    var values: [Double] = []
    for batch in 0..<max(batchA, batchB) {
        let startA = batchA == 1 ? 0 : batch * m * k, startB = batchB == 1 ? 0 : batch * k * n
        for i in 0..<m {
            for j in 0..<n {
                values.append(
                    (0..<k).reduce(0) { sum, l in
                        sum + a.values[startA + (transposeA ? l * m + i : i * k + l)]
                            * b.values[startB + (transposeB ? j * k + l : l * n + j)]
                    })
            }
        }
    }
    return [TestTensor(.f32, leading + [m, n], values)]
}

let matMulCases: [OperatorCase] = [
    OperatorCase("MatMul 3×4·4×5", MatMul(), [.real([3, 4]), .real([4, 5])], gradients: [0, 1]) {
        matMul($0[0], $0[1], false, false)
    },
    OperatorCase("MatMul Aᵀ", MatMul(transposeA: true), [.real([4, 3]), .real([4, 20])], gradients: [0, 1]) {
        matMul($0[0], $0[1], true, false)
    },
    OperatorCase("MatMul Bᵀ", MatMul(transposeB: true), [.real([3, 4]), .real([5, 4])], gradients: [0, 1]) {
        matMul($0[0], $0[1], false, true)
    },
    OperatorCase(
        "MatMul AᵀBᵀ, batched", MatMul(transposeA: true, transposeB: true), [.real([2, 4, 3]), .real([2, 5, 4])],
        gradients: [0, 1]
    ) { matMul($0[0], $0[1], true, true) },
    OperatorCase("MatMul, one B for all", MatMul(), [.real([2, 3, 2, 4]), .real([4, 3])], gradients: [0, 1]) {
        matMul($0[0], $0[1], false, false)
    },
    OperatorCase("MatMul 64×300·300×48", MatMul(), [.real([64, 300]), .real([300, 48])], tolerance: 1e-4) {
        matMul($0[0], $0[1], false, false)
    },
    OperatorCase(
        "MatMul Aᵀ of bands, batched", MatMul(transposeA: true), [.real([2, 12, 250]), .real([2, 12, 200])], tolerance: 1e-4
    ) { matMul($0[0], $0[1], true, false) },
    OperatorCase("SumLike", SumLike(), [.real([2, 3, 4]), .real([3, 1])]) { inputs in
        [
            TestTensor.make(.f32, [3, 1]) { i in
                var sum = 0.0
                for a in 0..<2 { for c in 0..<4 { sum += inputs[0][[a, i[0], c]] } }
                return sum
            }
        ]
    },
]
