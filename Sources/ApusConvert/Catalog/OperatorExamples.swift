import ApusGraph

extension OperatorExample {
    /// One of every operator; `testEveryOperatorHasAnExample` names those that lack one.
    static let all: [OperatorExample] = elementwise + products + windows + movement + indexing + rows + recurrent + integers
        + training

    private static let matrix = [2, 3], image = [1, 4, 4, 2], kernel = [2, 2, 2, 2], convolved = [1, 3, 3, 2]

    private static let elementwise =
        [
            Operator.neg, .exp, .log, .sqrt, .abs, .sign, .reciprocal, .square, .floor, .ceil, .round, .erf, .sin, .cos,
            .not, Cast(.f32),
        ].map { OperatorExample($0, shapes: [matrix]) }
        + [
            Activation.relu, .relu6, .leakyRelu(alpha: 0.1), .elu(alpha: 1), .sigmoid, .tanh, .gelu, .silu, .hardSwish,
            .softplus, .clip(minimum: 0, maximum: 1),
        ].map { OperatorExample(ActivationOperator($0), shapes: [matrix]) }
        + [
            Operator.add, .sub, .mul, .div, .maximum, .minimum, .pow, .equal, .notEqual, .less, .lessOrEqual, .greater,
            .greaterOrEqual, .and, .or, .xor,
        ].map { OperatorExample($0, shapes: [matrix, matrix]) }
        + [OperatorExample(Where(), .of(.bool, matrix), .any(matrix), .any(matrix))]

    private static let products = [
        OperatorExample(MatMul(transposeB: true), shapes: [matrix, [4, 3]]),
        OperatorExample(Dense(), shapes: [matrix, [3, 4], [4]]),
        OperatorExample(Conv2D(), shapes: [image, kernel, [2]]),
        OperatorExample(Conv2DTranspose(), shapes: [image, kernel, [2]]),
    ]

    private static let windows = [
        OperatorExample(MaxPool(kernel: 2), shapes: [image]),
        OperatorExample(AvgPool(kernel: 2), shapes: [image]),
        OperatorExample(Reduction(.globalMaxPool), shapes: [image]),
        OperatorExample(Reduction(.globalAvgPool), shapes: [image]),
    ]

    private static let movement = [
        OperatorExample(Flatten(), shapes: [image]),
        OperatorExample(Reshape([3, -1]), shapes: [matrix]),
        OperatorExample(Transpose([1, 0]), shapes: [matrix]),
        OperatorExample(Concat(axis: 0), shapes: [matrix, matrix]),
        OperatorExample(Split(axis: 1, sizes: [1, 2]), shapes: [matrix]),
        OperatorExample(Slice(axes: [1], starts: [0], ends: [2]), shapes: [matrix]),
        OperatorExample(Pad(before: [1, 1], after: [0, 0]), shapes: [matrix]),
        OperatorExample(Expand([4, 1, 1]), shapes: [matrix]),
        OperatorExample(ReshapeLike(), .any(matrix), .of(.f32, [6])),
    ]

    private static let indexing = [
        OperatorExample(Gather(), .any(matrix), .of(.i64, [2])),
        OperatorExample(OneHot(depth: 3), shapes: [[2]]),
        OperatorExample(TopK(2), shapes: [matrix]),
        OperatorExample(NonZero(), shapes: [matrix]),
        OperatorExample(NonMaxSuppression(maximumPerClass: 2, iouThreshold: 0.5), shapes: [[1, 3, 4], [1, 1, 3]]),
        OperatorExample(Trim(dimension: 0), .any(matrix), .of(.i64, [])),
    ]

    private static let integers = [
        OperatorExample(Quantize(to: codes), .of(.f32, matrix)),
        OperatorExample(Dequantize(), .codes(matrix)),
        OperatorExample(
            QuantizedDense(output: codes), .codes(matrix), .constant(.i8, [3, 4], [3, -5]), .constant(.i32, [4], [7]),
            .constant(.f32, [4], [0.01])),
        OperatorExample(
            QuantizedConv2D(output: codes), .codes(image), .constant(.i8, kernel, [3, -5]), .constant(.i32, [2], [7]),
            .constant(.f32, [2], [0.01])),
        OperatorExample(Lookup(output: codes), .codes(matrix), .constant(.i8, [256], [1, 2, 3])),
        OperatorExample(QuantizedAdd(output: codes), .codes(matrix), .codes(matrix)),
        OperatorExample(QuantizedMul(output: codes), .codes(matrix), .codes(matrix)),
        OperatorExample(QuantizedAvgPool(kernel: 2, output: codes), .codes(image)),
        OperatorExample(
            QuantizedSoftmax(), .codes(matrix), .constant(.i32, [256], exponentials(codes).map { Double($0) })),
        OperatorExample(
            WeightOnlyDense(), .of(.f32, matrix), .constant(.i8, [3, 4], [3, -5]), .constant(.f16, [1, 4], [0.5]),
            .of(.f32, [4])),
        OperatorExample(
            WeightOnlyGather(), .constant(.i8, matrix, [3, -5]), .constant(.f16, [2, 1], [0.5]), .of(.i64, [2])),
        OperatorExample(
            DynamicDense(), .of(.f32, matrix), .constant(.i8, [3, 4], [0]), .constant(.i32, [4], [0]),
            .constant(.f32, [4], [0.01]), .of(.f32, [4])),
    ]

    private static let recurrent = [
        OperatorExample(Rnn(), shapes: [[2, 3, 4], [1, 4, 4]]),
        OperatorExample(Gru(resetAfter: true), shapes: [[2, 3, 12], [3, 4, 4], [4]]),
        OperatorExample(Lstm(), shapes: [[2, 3, 16], [4, 4, 4]]),
        OperatorExample(Attention(heads: 2, scale: 0.5), shapes: [[1, 3, 4], [1, 5, 4], [1, 5, 4]]),
        OperatorExample(
            CachedAttention(heads: 2, scale: 0.5), .of(.f32, [1, 1, 4]), .of(.f32, [1, 1, 4]), .of(.f32, [1, 1, 4]),
            .any([1, 2, 1, 2, 16]), .any([1, 2, 1, 8, 16]), .of(.i64, [])),
    ]

    private static let rows = [
        OperatorExample(BatchNorm(), shapes: [image, [2], [2], [2], [2]]),
        OperatorExample(LayerNorm(), shapes: [matrix, [3], [3]]),
        OperatorExample(RmsNorm(), shapes: [matrix, [3]]),
        OperatorExample(Softmax(), shapes: [matrix]),
        OperatorExample(LogSoftmax(), shapes: [matrix]),
        OperatorExample(Reduction(.sum), shapes: [matrix]),
        OperatorExample(Reduction(.mean), shapes: [matrix]),
        OperatorExample(Reduction(.max), shapes: [matrix]),
        OperatorExample(Reduction(.min), shapes: [matrix]),
        OperatorExample(ArgMax(), shapes: [matrix]),
        OperatorExample(ArgMin(), shapes: [matrix]),
    ]

    private static let random = RandomSource(seed: 1, stream: 0)

    private static let training =
        [
            OperatorExample(Dropout(rate: 0.5, source: random), .any(matrix), .of(.i64, [])),
            OperatorExample(RandomUniform(matrix, source: random), .of(.i64, [])),
            OperatorExample(RandomNormal(matrix, source: random), .of(.i64, [])),
            OperatorExample(BatchNormTraining(), shapes: [image, [2], [2], [2], [2]]),
            OperatorExample(SumLike(), shapes: [matrix, [3]]),
            OperatorExample(ExpandLike(axes: [1]), shapes: [[2], matrix]),
            OperatorExample(ActivationGradient(.relu), shapes: [matrix, matrix]),
            OperatorExample(Conv2DInputGradient(), shapes: [convolved, kernel, image]),
            OperatorExample(Conv2DWeightGradient(), shapes: [image, convolved, kernel]),
            OperatorExample(DenseWeightGradient(), shapes: [matrix, [2, 4]]),
            OperatorExample(MaxPoolGradient(kernel: 2), shapes: [image, [1, 2, 2, 2], [1, 2, 2, 2]]),
            OperatorExample(MaxPoolIndex(kernel: 2), shapes: [image]),
            OperatorExample(MaxPoolIndexGradient(kernel: 2), .of(.u8, [1, 2, 2, 2]), .any([1, 2, 2, 2]), .any(image)),
            OperatorExample(Conv2DMaxPool(Conv2D(), MaxPoolIndex(kernel: 2)), shapes: [image, kernel, [2]]),
            OperatorExample(
                Conv2DMaxPoolWeightGradient(Conv2DWeightGradient(), MaxPoolIndexGradient(kernel: 2)), .any(image),
                .of(.u8, [1, 1, 1, 2]), .any([1, 1, 1, 2]), .any(kernel)),
            OperatorExample(AvgPoolGradient(kernel: 2), shapes: [[1, 2, 2, 2], image]),
            OperatorExample(BatchNormGradient(), shapes: [image, [2], [2], [2], image]),
            OperatorExample(LayerNormGradient(), shapes: [matrix, [3], [2], [2], matrix]),
            OperatorExample(AttentionGradient(Attention(heads: 2, scale: 0.5)), shapes: [[1, 3, 4], [1, 5, 4], [1, 5, 4], [1, 3, 4]]),
            OperatorExample(RmsNormGradient(), shapes: [matrix, [3], [2], matrix]),
            OperatorExample(SoftmaxGradient(), shapes: [matrix, matrix]),
            OperatorExample(LogSoftmaxGradient(), shapes: [matrix, matrix]),
            OperatorExample(SliceGradient(axes: [1], starts: [0], ends: [2]), shapes: [[2, 2], matrix]),
            OperatorExample(GatherGradient(), .any(matrix), .of(.i64, [2]), .any(matrix)),
            OperatorExample(SoftmaxCrossEntropy(), shapes: [matrix, matrix]),
            OperatorExample(SoftmaxCrossEntropyGradient(), shapes: [matrix, matrix, [2]]),
            OperatorExample(SparseSoftmaxCrossEntropy(), .any(matrix), .of(.i32, [2])),
            OperatorExample(SparseSoftmaxCrossEntropyGradient(), .any(matrix), .of(.i32, [2]), .any([2])),
            OperatorExample(BatchCount(), shapes: [matrix]),
            OperatorExample(Rnn(keepsGates: true), shapes: [[2, 3, 4], [1, 4, 4]]),
            OperatorExample(Gru(resetAfter: true, keepsGates: true), shapes: [[2, 3, 12], [3, 4, 4], [4]]),
            OperatorExample(Lstm(keepsGates: true), shapes: [[2, 3, 16], [4, 4, 4]]),
            OperatorExample(
                RecurrentGradient(of: Rnn(keepsGates: true), hasGradients: [true, false]),
                shapes: [[2, 3, 4], [2, 3, 4], [1, 4, 4], [2, 3, 4]]),
            OperatorExample(
                RecurrentGradient(of: Gru(resetAfter: true, keepsGates: true), hasGradients: [true, false]),
                shapes: [[2, 3, 4], [2, 3, 16], [3, 4, 4], [2, 3, 4]]),
            OperatorExample(
                RecurrentGradient(of: Lstm(keepsGates: true), hasGradients: [true, false, false]),
                shapes: [[2, 3, 4], [2, 3, 20], [4, 4, 4], [2, 3, 4]]),
            OperatorExample(FakeQuantize(rangeGradientScale: 1), shapes: [matrix, [2]]),
            OperatorExample(FakeQuantizeGradient(rangeGradientScale: 1), shapes: [matrix, [2], matrix]),
            OperatorExample(FakeQuantizeWeights(), shapes: [matrix]),
            OperatorExample(ObserveRange(), .of(.f32, matrix), .of(.f32, [2])),
            OperatorExample(GlobalNorm(), shapes: [matrix, [3]]),
            OperatorExample(ClipByNorm(maximum: 1), shapes: [matrix, []]),
        ] + [Sgd(), RmsProp(), Adagrad(), Adam()].map(optimizer)

    /// A parameter, its gradient and the slots, then the learning rate and the step.
    private static func optimizer(_ op: ParameterUpdate) -> OperatorExample {
        var example = OperatorExample(op, shapes: [[Int]](repeating: matrix, count: 2 + op.slots))
        example.inputs += [.of(.f32, []), .of(.i64, [])]
        return example
    }
}
