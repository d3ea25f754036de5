import CModelFormat

/// Every operator of a file that this library knows.
public let operatorTable = OperatorTable(inferenceOperators + trainingOperators)

/// Those that every library has.
public let inferenceOperators: [OperatorEntry] = [
    MatMul.entry,
    Dense.entry,
    Conv2D.entry,
    Conv2DTranspose.entry,
    MaxPool.entry,
    AvgPool.entry,
    .reduction(.globalMaxPool),
    .reduction(.globalAvgPool),
    BatchNorm.entry,
    LayerNorm.entry,
    Flatten.entry,
    Reshape.entry,
    Transpose.entry,
    Concat.entry,
    Split.entry,
    Slice.entry,
    Pad.entry,
    .binary(.add),
    .binary(.sub),
    .binary(.mul),
    .binary(.div),
    .binary(.maximum),
    .binary(.minimum),
    .binary(.pow),
    .binary(.equal),
    .binary(.notEqual),
    .binary(.less),
    .binary(.lessOrEqual),
    .binary(.greater),
    .binary(.greaterOrEqual),
    .binary(.and),
    .binary(.or),
    .binary(.xor),
    Where.entry,
    .unary(.neg),
    .unary(.exp),
    .unary(.log),
    .unary(.sqrt),
    .unary(.abs),
    .unary(.sign),
    .unary(.reciprocal),
    .unary(.square),
    .unary(.floor),
    .unary(.ceil),
    .unary(.round),
    .unary(.erf),
    .unary(.sin),
    .unary(.cos),
    .unary(.not),
    .clip,
    .relu,
    .relu6,
    .leakyRelu,
    .elu,
    .sigmoid,
    .tanh,
    .gelu,
    .silu,
    .hardSwish,
    .softplus,
    Softmax.entry,
    LogSoftmax.entry,
    .reduction(.sum),
    .reduction(.mean),
    .reduction(.max),
    .reduction(.min),
    ArgMax.entry,
    ArgMin.entry,
    OneHot.entry,
    Gather.entry,
    Cast.entry,
    Expand.entry,
    Trim.entry,
    NonZero.entry,
    NonMaxSuppression.entry,
    TopK.entry,
    Rnn.entry,
    Gru.entry,
    Lstm.entry,
    Attention.entry,
    CachedAttention.entry,
    Quantize.entry,
    Dequantize.entry,
    QuantizedDense.entry,
    QuantizedConv2D.entry,
    Lookup.entry,
    QuantizedAdd.entry,
    QuantizedMul.entry,
    QuantizedAvgPool.entry,
    QuantizedSoftmax.entry,
    WeightOnlyDense.entry,
    DynamicDense.entry,
    RandomUniform.entry,
    RandomNormal.entry,
    ReshapeLike.entry,
    GatherGradient.entry,
]

// A library built with APUS_INFERENCE leaves these out, and the linker with them their kernels.
#if APUS_INFERENCE
private let trainingOperators: [OperatorEntry] = []
#else
private let trainingOperators: [OperatorEntry] = [
    Dropout.entry,
    BatchNormTraining.entry,
    SumLike.entry,
    ExpandLike.entry,
    ActivationGradient.entry,
    Conv2DInputGradient.entry,
    Conv2DWeightGradient.entry,
    MaxPoolGradient.entry,
    AvgPoolGradient.entry,
    BatchNormGradient.entry,
    LayerNormGradient.entry,
    SoftmaxGradient.entry,
    LogSoftmaxGradient.entry,
    SliceGradient.entry,
    SoftmaxCrossEntropy.entry,
    SoftmaxCrossEntropyGradient.entry,
    SparseSoftmaxCrossEntropy.entry,
    SparseSoftmaxCrossEntropyGradient.entry,
    BatchCount.entry,
    DenseWeightGradient.entry,
    MaxPoolIndex.entry,
    MaxPoolIndexGradient.entry,
    Conv2DMaxPool.entry,
    Conv2DMaxPoolWeightGradient.entry,
    Rnn.trainingEntry,
    Gru.trainingEntry,
    Lstm.trainingEntry,
    RecurrentGradient.rnn,
    RecurrentGradient.gru,
    RecurrentGradient.lstm,
    Sgd.entry,
    RmsProp.entry,
    Adagrad.entry,
    Adam.entry,
    GlobalNorm.entry,
    ClipByNorm.entry,
]
#endif

public struct OperatorTable: Sendable {
    public let entries: [OperatorEntry]

    init(_ entries: [OperatorEntry]) { self.entries = entries }

    /// Reads a node's operator.
    public func decode(_ node: Apus__Node) throws(ApusError) -> Operator {
        for entry in entries where entry.code == node.operator_case { return try entry.decode(node) }
        let code = node.operator_case.rawValue
        #if APUS_INFERENCE
        throw .unsupported("operator \(code) needs libapus-training, or a newer Apus")
        #else
        throw .unsupported("operator \(code) needs a newer Apus")
        #endif
    }
}
