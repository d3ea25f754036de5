import ApusGraph
import Foundation

/// Philox4x32-10: four words of one block.
private func philox(_ counter: [UInt32], _ key: [UInt32]) -> [UInt32] {
    var c = counter, k = key
    for _ in 0..<10 {
        let a = UInt64(c[0]) * 0xD251_1F53, b = UInt64(c[2]) * 0xCD9E_8D57
        c = [
            UInt32(b >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: b), UInt32(a >> 32) ^ c[3] ^ k[1],
            UInt32(truncatingIfNeeded: a),
        ]
        k = [k[0] &+ 0x9E37_79B9, k[1] &+ 0xBB67_AE85]
    }
    return c
}

private func words(_ source: RandomSource, _ counter: Double, _ count: Int) -> [UInt32] {
    let step = UInt64(bitPattern: Int64(counter)), seed = source.seed
    let key = [UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32)]
    return (0..<(count + 3) / 4).flatMap { block in
        philox([UInt32(block), UInt32(truncatingIfNeeded: step), UInt32(step >> 32), source.stream], key)
    }
}

private func uniform(_ source: RandomSource, _ counter: Double, _ count: Int) -> [Double] {
    words(source, counter, count).prefix(count).map { Double($0 >> 8) * 0x1p-24 }
}

private func normal(_ source: RandomSource, _ counter: Double, _ count: Int) -> [Double] {
    let w = words(source, counter, count)
    return (0..<count).map { i in
        let pair = i & ~1
        let radius = (-2 * log((Double(w[pair]) + 0.5) * 0x1p-32)).squareRoot()
        let angle = 2 * Double.pi * Double(w[pair + 1] >> 8) * 0x1p-24
        return radius * (i == pair ? cos(angle) : sin(angle))
    }
}

private let sources: [(RandomSource, counter: Double)] = [
    (RandomSource(seed: 0, stream: 0), 0),
    (RandomSource(seed: 0x0123_4567_89AB_CDEF, stream: 4_000_000_000), 5_000_000_000),
    (RandomSource(seed: .max, stream: 1), -1),
]

private func counter(_ value: Double) -> TestInput { .values(TestTensor(.i64, [], [value])) }

private func dropout(_ rate: Float, _ source: RandomSource, _ x: TestTensor, _ counter: Double) -> [TestTensor] {
    let mask = uniform(source, counter, x.count)
    let values = zip(x.values, mask).map { $1 >= Double(rate) ? $0 / (1 - Double(rate)) : 0 }
    return [TestTensor(x.dtype, x.shape, values)]
}

let randomCases: [OperatorCase] = sources.enumerated().flatMap { number, pair -> [OperatorCase] in
    let (source, step) = pair
    return [[], [1], [7], [17], [3, 5], [2, 1031], [0]].flatMap { (shape: [Int]) -> [OperatorCase] in
        let count = shape.reduce(1, *)
        return [
            OperatorCase(
                "RandomUniform \(shape), source \(number)", RandomUniform(shape, source: source), [counter(step)],
                tolerance: 0) { _ in [TestTensor(.f32, shape, uniform(source, step, count))] },
            OperatorCase(
                "RandomNormal \(shape), source \(number)", RandomNormal(shape, source: source), [counter(step)],
                tolerance: 2e-6) { _ in [TestTensor(.f32, shape, normal(source, step, count))] },
            OperatorCase(
                "Dropout \(shape), source \(number)", Dropout(rate: 0.3, source: source), [.real(shape), counter(step)],
                gradients: count < 20 ? [0] : [], tolerance: 1e-6) { dropout(0.3, source, $0[0], step) },
        ]
    }
} + [
    // kat_vectors of Random123: the block of zeros under the key of zeros.
    OperatorCase(
        "RandomUniform, known answer", RandomUniform([4], source: RandomSource(seed: 0, stream: 0)), [counter(0)],
        tolerance: 0
    ) { _ in
        let block: [UInt32] = [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8]
        return [TestTensor(.f32, [4], block.map { Double($0 >> 8) * 0x1p-24 })]
    },
    OperatorCase(
        "RandomUniform −3 ... 5", RandomUniform([2, 50], source: sources[1].0, low: -3, high: 5), [counter(8)]
    ) { _ in [TestTensor(.f32, [2, 50], uniform(sources[1].0, 8, 100).map { 8 * $0 - 3 })] },
    OperatorCase(
        "RandomNormal of mean 2", RandomNormal([101], source: sources[1].0, mean: 2, deviation: 0.5), [counter(8)]
    ) { _ in [TestTensor(.f32, [101], normal(sources[1].0, 8, 101).map { 2 + $0 / 2 })] },
    OperatorCase(
        "Dropout of nothing", Dropout(rate: 0, source: sources[0].0), [.real([33]), counter(1)], tolerance: 0
    ) { [$0[0]] },
    OperatorCase("Dropout of all", Dropout(rate: 1, source: sources[0].0), [.special, counter(1)], tolerance: 0) {
        [$0[0].map { _ in 0 }]
    },
]
