import ApusGraph

/// mean −log p[label], with p the predictions scaled to a sum of 1 or, from logits, softmax(x); labels are i32 indices.
/// With class weights each term is weighted by that of its label; the mean still divides by the number of labels. Labels equal
/// to `ignoreIndex`, such as those of padding, have no term and are not counted; where all are, the loss is 0.
///
/// Predictions [batch, …, classes], targets [batch, …].
public struct SparseCategoricalCrossEntropy: Loss {
    public let fromLogits: Bool
    public var name: String { "sparse_categorical_crossentropy" }

    /// One per class, or empty for 1.
    public let classWeights: [Float]
    /// Moves the label toward the uniform distribution: 1 − s + s/classes of it, s/classes of each other class.
    public let labelSmoothing: Double
    /// May lie outside 0 ..< classes.
    public let ignoreIndex: Int32?

    public init(
        fromLogits: Bool = false, classWeights: [Float] = [], labelSmoothing: Double = 0, ignoreIndex: Int32? = nil
    ) {
        self.fromLogits = fromLogits
        self.classWeights = classWeights
        self.labelSmoothing = labelSmoothing
        self.ignoreIndex = ignoreIndex
    }

    public func targetType(for prediction: TensorType) throws(ApusError) -> TensorType {
        try LossRules.requireClasses(prediction)
        return TensorType(.i32, prediction.shape.removing(prediction.shape.rank - 1))
    }

    /// Labels are indices of classes, or ignored.
    public func check(_ target: Tensor, for prediction: TensorType, samples: [Int]) throws(ApusError) {
        let classes = Int32(clamping: prediction.shape.last)
        guard target.dtype == .i32, !samples.isEmpty, target.count % samples.count == 0 else { return }
        try target.withUnsafeScalars(of: Int32.self) { labels throws(ApusError) in
            guard let place = labels.firstIndex(where: { ($0 < 0 || $0 >= classes) && $0 != ignoreIndex }) else {
                return
            }
            let sample = samples[place / (target.count / samples.count)]
            throw .argument("label \(labels[place]) of sample \(sample), wanted 0 ... \(classes - 1)")
        }
    }

    public func terms(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> LossTerms {
        // softmax(log p) = p / Σ p, so the loss of probabilities is the loss of their logarithms as logits.
        let logits = fromLogits ? prediction : try builder(.log, try LossRules.clipped(prediction, builder))
        guard let ignoreIndex else { return LossTerms(try weighted(logits, target, builder)) }
        let ignored = try builder.scalar(Double(ignoreIndex), .i32), dtype = prediction.type.dtype
        let counts = try builder(.notEqual, target, ignored)
        let labels = try builder(Where(), counts, target, try builder.scalar(0, .i32))
        let terms = try builder(Where(), counts, try weighted(logits, labels, builder), try builder.scalar(0, dtype))
        return LossTerms(terms, count: try builder(Reduction(.sum, axes: []), try builder(Cast(dtype), counts)))
    }

    /// −log p[label] of each label, weighted by its class.
    private func weighted(_ logits: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> Value {
        let losses = try self.losses(logits, target, builder)
        return classWeights.isEmpty ? losses : try builder(.mul, losses, try weights(logits, target, builder))
    }

    private func losses(_ logits: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> Value {
        guard labelSmoothing != 0 else { return try builder(SparseSoftmaxCrossEntropy(), logits, target) }
        guard labelSmoothing > 0 && labelSmoothing <= 1 else {
            throw .argument("label smoothing \(labelSmoothing), wanted 0 ... 1")
        }
        let classes = logits.shape.last, share = labelSmoothing / Double(classes)
        let smooth = OneHot(depth: classes, onValue: Float(1 - labelSmoothing + share), offValue: Float(share))
        return try builder(SoftmaxCrossEntropy(), logits, try builder(smooth, target))
    }

    /// Of each sample: its label's.
    private func weights(_ prediction: Value, _ target: Value, _ builder: GraphBuilder) throws(ApusError) -> Value {
        guard classWeights.count == prediction.shape.last else {
            throw .argument("\(classWeights.count) class weights, wanted \(prediction.shape.last)")
        }
        if let weight = classWeights.first(where: { !($0 >= 0 && $0.isFinite) }) {
            throw .argument("a class weight of \(weight), wanted a finite one of 0 or more")
        }
        let table = try Tensor(classWeights).converted(to: prediction.type.dtype).constant("class_weights")
        builder.graph.constants.append(table)
        return try builder(Gather(axis: 0), builder.constant(builder.graph.constants.count - 1), target)
    }
}
