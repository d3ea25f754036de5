import ApusGraph

private func gathered(
    _ name: String, rows: Int, columns: Int, _ dtype: DType, block: Int = 0, _ indices: TestInput
) -> OperatorCase {
    let size = block == 0 ? columns : block
    let scales = TestTensor.make(.f16, [rows, (columns + size - 1) / size]) {
        Double(Float16(0.01 * Double(1 + ($0[0] * 7 + $0[1]) % 13)))
    }
    return OperatorCase(
        "WeightOnlyGather \(name)", WeightOnlyGather(blockSize: block),
        [.integers([rows, columns], dtype == .i4 ? -8...7 : -128...127, dtype), .values(scales), indices], tolerance: 0
    ) { inputs in
        let places = inputs[2]
        return [
            TestTensor.make(.f32, places.shape + [columns]) { i in
                let index = Int(places[[Int](i.dropLast())]), row = index < 0 ? index + rows : index
                guard row >= 0 && row < rows else { return 0 }
                return Double(Float(inputs[0][[row, i.last!]]) * Float(scales[[row, i.last! / size]]))
            }
        ]
    }
}

let weightOnlyGatherCases: [OperatorCase] = [
    gathered("i8, one scale a row", rows: 5, columns: 37, .i8, .integers([2, 3], 0...4)),
    gathered("i8, blocks of 32, outside", rows: 4, columns: 70, .i8, block: 32, .integers([9], -6...5, .i32)),
    gathered("i4, one scale a row", rows: 6, columns: 22, .i4, .integers([4], 0...5)),
    gathered("i4, blocks of 32, rest", rows: 7, columns: 150, .i4, block: 32, .integers([3, 5], -8...8)),
    gathered("i4, blocks of 64", rows: 3, columns: 128, .i4, block: 64, .integers([], 0...2, .i32)),
    gathered("i8, no row", rows: 3, columns: 5, .i8, .integers([0], 0...2)),
]
