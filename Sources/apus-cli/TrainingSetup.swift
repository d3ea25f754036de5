import Apus
import ApusGraph
import ToolSupport

/// What a description means: the network, the loss, the optimizer and the samples.
struct TrainingSetup {
    let network: Network
    let loss: any Loss
    let metrics: [any Metric]
    let optimizer: any Optimizer
    let training: any SampleSource
    let validation: Validation
    let augmentation: [Augmentation]
    let epochs: Int
    let batchSize: Int
    let accumulation: Int
    let average: ExponentialMovingAverage?
    let seed: UInt64
    let threads: Int?
    let precision: ComputePrecision

    /// - Parameter description: whose values are `validated`.
    init(_ description: TrainingDescription, model: String, data: String) throws(ApusError) {
        epochs = description.epochs ?? 5
        batchSize = description.batchSize ?? 32
        accumulation = description.accumulate ?? 1
        average = description.average.map { ExponentialMovingAverage(decay: $0) }
        seed = description.seed ?? 0
        threads = description.threads
        precision = description.precision ?? .f32
        let writesText = Setting(model).name == "gpt"
        func read(_ text: String) throws(ApusError) -> any SampleSource {
            let source = try DataSource(text)
            return writesText ? try source.read(classPerElement: true) : try source.source()
        }
        let raw = try read(data)
        network = try TrainingSetup.network(
            model, description.activation, input: raw.inputFields[0].shape,
            outputs: writesText ? try raw.languageVocabulary : try raw.outputCount, seed: seed)
        let words = network.layers.lazy.compactMap { ($0 as? Embedding)?.vocabulary }.first
        let normalization = words == nil ? try raw.usualNormalization() : Normalization()
        // Tokens as they are, other samples normalized; in memory at once, elsewhere as they are read.
        func prepared(_ samples: any SampleSource) throws(ApusError) -> any SampleSource {
            let change = { @Sendable (rows: Dataset) throws(ApusError) -> Dataset in
                if let words { try rows.tokens(of: words) } else { try rows.normalized(by: normalization) }
            }
            if let dataset = samples as? Dataset { return try change(dataset) }
            return try samples.mapped(change)
        }
        training = try prepared(raw)
        validation = try TrainingSetup.validation(description.validation) { text throws(ApusError) in
            try prepared(try read(text))
        }
        augmentation = try TrainingSetup.augmentation(description.augment)
        if let path = description.initialWeights { try network.loadWeights(path) }
        try description.prepare(network)
        network.classNames = raw.classNames
        if words == nil { try network.setContract(raw.contract(normalization)) }
        (loss, metrics) = try TrainingSetup.loss(description.loss, training, classWeights: description.classWeights)
        let batches = (training.count - 1) / batchSize + 1
        let (steps, isTooMany) = epochs.multipliedReportingOverflow(by: (batches - 1) / accumulation + 1)
        guard !isTooMany else { throw .argument("\(epochs) epochs of \(batches) batches, wanted at most \(Int.max) steps") }
        optimizer = try TrainingSetup.optimizer(description, steps: steps)
    }

    // MARK: Parts

    /// The networks of the library, as they are named.
    static let networks =
        "mnist-cnn, cifar-cnn, cifar-resnet, cifar-mobilenet, vgg-style, mlp:UNITS,…, text-gru:WORDS, text-lstm:WORDS or "
        + "gpt:LAYERS,WIDTH,HEADS"

    /// Throws for what names no network of the library, whatever the samples.
    static func checkName(ofNetwork text: String) throws(ApusError) {
        let setting = Setting(text)
        switch setting.name {
        case "mnist-cnn", "cifar-cnn", "cifar-resnet", "cifar-mobilenet", "vgg-style": break
        case "text-gru", "text-lstm": _ = try words(setting)
        case "gpt": _ = try layersWidthHeads(setting)
        case "mlp": _ = try numbers(setting, unitsWanted)
        default: throw .argument("no model '\(text)', wanted \(networks)")
        }
    }

    /// A network of the library by name, for samples of a shape.
    static func network(
        _ text: String, _ activation: String? = nil, input: [Int], outputs: Int, seed: UInt64
    ) throws(ApusError) -> Network {
        let setting = Setting(text)
        switch setting.name {
        case "mnist-cnn": return try ModelLibrary.mnistCNN(input: input, classes: outputs, seed: seed)
        case "cifar-cnn": return try ModelLibrary.cifarCNN(input: input, classes: outputs, seed: seed)
        case "cifar-resnet": return try ModelLibrary.cifarResNet(input: input, classes: outputs, seed: seed)
        case "cifar-mobilenet": return try ModelLibrary.cifarMobileNet(input: input, classes: outputs, seed: seed)
        case "text-gru", "text-lstm":
            let words = try words(setting)
            guard input.count == 1 else { throw .argument("'\(text)' for samples \(input), wanted texts of one length") }
            return try ModelLibrary.textClassifier(
                vocabulary: words, length: input[0], cell: setting.name == "text-gru" ? .gru : .lstm, outputs: outputs,
                seed: seed)
        case "vgg-style": return try ModelLibrary.vggStyle(input: input, classes: outputs, seed: seed)
        case "gpt":
            let sizes = try layersWidthHeads(setting)
            guard input.count == 1 else { throw .argument("'\(text)' for samples \(input), wanted texts of one length") }
            return try ModelLibrary.gpt(
                vocabulary: outputs, context: input[0], width: sizes[1], heads: sizes[2], layers: sizes[0], seed: seed)
        case "mlp":
            let hidden = try numbers(setting, unitsWanted)
            let function = try self.activation(activation)
            return try Sequential(input: input, name: "mlp", seed: seed) {
                if input.count > 1 { Flatten() }
                for units in hidden { Dense(units, activation: function) }
                Dense(outputs)
            }
        default: throw .argument("no model '\(text)', wanted \(networks)")
        }
    }

    private static let unitsWanted = "units such as mlp:64,64"

    private static func words(_ setting: Setting) throws(ApusError) -> Int {
        guard let words = Int(setting.value), (2...1_000_000_000).contains(words) else {
            throw .argument("'\(setting.name):\(setting.value)', wanted how many words there are, such as \(setting.name):10000")
        }
        return words
    }

    private static func layersWidthHeads(_ setting: Setting) throws(ApusError) -> [Int] {
        let wanted = "layers, width and heads such as gpt:4,128,4", sizes = try numbers(setting, wanted)
        guard sizes.count == 3 else { throw .argument("'\(setting.name):\(setting.value)', wanted \(wanted)") }
        return sizes
    }

    /// What stands behind a name's colon.
    private static func numbers(_ setting: Setting, _ wanted: String) throws(ApusError) -> [Int] {
        var numbers: [Int] = []
        for part in setting.value.split(separator: ",", omittingEmptySubsequences: setting.value.isEmpty) {
            guard let number = Int(part), (1...1_000_000).contains(number) else {
                throw .argument("'\(setting.name):\(setting.value)', wanted \(wanted)")
            }
            numbers.append(number)
        }
        return numbers
    }

    static func activation(_ name: String?) throws(ApusError) -> Activation {
        switch name {
        case nil, "relu": .relu
        case "sigmoid": .sigmoid
        case "tanh": .tanh
        case "gelu": .gelu
        case "silu": .silu
        default: throw .argument("no activation '\(name!)', wanted relu, sigmoid, tanh, gelu or silu")
        }
    }

    static func loss(
        _ name: String?, _ data: any SampleSource, classWeights: String? = nil
    ) throws(ApusError) -> (any Loss, [any Metric]) {
        guard classWeights == nil || data.isClassification else {
            throw .argument("class weights for numbers, wanted classes")
        }
        if data.isClassification {
            guard name == nil || name == "cross-entropy" else {
                throw .argument("no loss '\(name!)' for classes, wanted cross-entropy")
            }
            let weights = classWeights == nil ? [] : try data.balancedClassWeights()
            return (SparseCategoricalCrossEntropy(fromLogits: true, classWeights: weights), [Accuracy()])
        }
        let metrics: [any Metric] = [MeanAbsoluteError(), RootMeanSquaredError()]
        switch name {
        case nil, "mse": return (MSE(), metrics)
        case "mae": return (MAE(), metrics)
        case "huber": return (Huber(), metrics)
        default: throw .argument("no loss '\(name!)' for numbers, wanted mse, mae or huber")
        }
    }

    static func optimizer(
        _ description: TrainingDescription, steps: Int
    ) throws(ApusError) -> any Optimizer {
        let name = description.optimizer ?? "adam"
        let peak = description.learningRate ?? (name == "sgd" ? 0.01 : 0.001)
        guard peak > 0 && peak.isFinite else { throw .argument("learning rate \(peak), wanted more than 0") }
        let rate: any LearningRateSchedule
        switch description.schedule {
        case nil, "constant": rate = peak
        case "cosine": rate = CosineDecay(peak, steps: steps)
        case "one-cycle": rate = OneCycle(peak, steps: steps)
        default: throw .argument("no schedule '\(description.schedule!)', wanted constant, cosine or one-cycle")
        }
        let momentum = description.momentum ?? 0
        switch name {
        case "adam": return Adam(learningRate: rate)
        case "adamw": return AdamW(learningRate: rate, weightDecay: description.weightDecay ?? 0.004)
        case "sgd": return SGD(learningRate: rate, momentum: momentum, nesterov: momentum > 0)
        case "rmsprop": return RMSprop(learningRate: rate, momentum: momentum)
        case "adagrad": return Adagrad(learningRate: rate)
        default: throw .argument("no optimizer '\(name)', wanted adam, adamw, sgd, rmsprop or adagrad")
        }
    }

    private static func validation(
        _ text: String?, _ read: (String) throws(ApusError) -> any SampleSource
    ) throws(ApusError) -> Validation {
        guard let text else { return .none }
        if let share = Double(text) { return .split(share) }
        return .data(try read(text))
    }

    static func augmentation(_ text: String?) throws(ApusError) -> [Augmentation] {
        var steps: [Augmentation] = []
        for part in (text ?? "").split(separator: ",") {
            let setting = Setting(part)
            switch setting.name {
            case "flip": steps.append(.randomFlip)
            case "vertical-flip": steps.append(.randomVerticalFlip)
            case "crop": steps.append(.randomCrop(padding: Int(clamping: try setting.number(4))))
            case "shift": steps.append(.randomShift(fraction: try setting.number(0.1)))
            case "rotate": steps.append(.randomRotate(degrees: try setting.number(10)))
            case "cutout": steps.append(.cutout(size: Int(clamping: try setting.number(8))))
            default:
                throw .argument(
                    "no augmentation '\(part)', wanted some of flip, vertical-flip, crop:N, shift:X, rotate:X, cutout:N")
            }
        }
        return steps
    }
}

extension SampleSource {
    /// The numbers that a network tells of a sample: one for each class, or those of its target.
    fileprivate var outputCount: Int {
        get throws(ApusError) { isClassification ? try classCount : targetFields[0].shape.reduce(1, *) }
    }
}

extension Int {
    /// Toward zero, and at the ends of the range beyond it.
    fileprivate init(clamping value: Double) { self = Int(Swift.max(-1e15, Swift.min(1e15, value))) }
}
