import ApusGraph

/// Predictions [..., C] as rows of C class scores (probabilities or logits), and the true class of each row.
struct ClassScores {
    let classes: Int
    let samples: Int
    let actual: [Int]
    private let scores: [Double]

    /// Targets are class indices, one a row, or of the predictions' shape one-hot or distributions, whose largest share counts.
    init(predictions: Tensor, targets: Tensor) throws(ApusError) {
        guard predictions.shape.count > 1, let classes = predictions.shape.last, classes > 0 else {
            throw .shape("predictions are \(predictions), wanted [samples, classes]")
        }
        self.classes = classes
        samples = predictions.count / classes
        scores = try predictions.doubles()
        let values = try targets.doubles()
        if targets.shape == predictions.shape, classes > 1 {
            var actual: [Int] = []
            for sample in 0..<samples {
                let row = values[sample * classes..<(sample + 1) * classes], ones = row.count { $0 == 1 }
                guard ones == 1 || row.contains(where: { $0 != 0 && $0 != 1 }) else {
                    throw .argument("found \(ones) classes in row \(sample) of the targets, wanted one")
                }
                actual.append(Self.largest(row) ?? 0)
            }
            self.actual = actual
        } else if values.count == samples {
            for value in values where !(value >= 0 && value < Double(classes)) || value != value.rounded() {
                throw .argument("found the target class \(value), wanted an integer from 0 to \(classes - 1)")
            }
            actual = values.map { Int($0) }
        } else {
            throw .shape("targets are \(targets), wanted a class for each row of \(predictions), or one-hot rows")
        }
    }

    func row(_ sample: Int) -> ArraySlice<Double> { scores[sample * classes..<(sample + 1) * classes] }

    /// The class of the largest score, the first of equals; nil if all are NaN.
    func predicted(_ sample: Int) -> Int? { Self.largest(row(sample)) }

    private static func largest(_ values: ArraySlice<Double>) -> Int? {
        var best: Int?
        for index in values.indices where !values[index].isNaN {
            if best == nil || values[index] > values[best!] { best = index }
        }
        return best.map { $0 - values.startIndex }
    }
}

/// One score and one target, 0 or 1, for each sample or, where a sample has several labels, for each of them.
struct BinaryScores {
    let scores: [Double]
    let isPositive: [Bool]

    init(predictions: Tensor, targets: Tensor) throws(ApusError) {
        guard predictions.essentialShape == targets.essentialShape else {
            throw .shape("predictions are \(predictions) and targets \(targets), wanted one score for each target")
        }
        scores = try predictions.doubles()
        let values = try targets.doubles()
        if let stray = values.first(where: { $0 != 0 && $0 != 1 }) {
            throw .argument("found the target \(stray), wanted 0 or 1")
        }
        isPositive = values.map { $0 == 1 }
    }
}

extension Tensor {
    /// The shape without trailing extents of 1.
    var essentialShape: ArraySlice<Int> {
        var shape = shape[...]
        while shape.last == 1 { shape.removeLast() }
        return shape
    }
}
