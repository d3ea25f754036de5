import ApusGraph

/// Each channel to mean 0 and variance 1, then times gamma plus beta (Ioffe and Szegedy 2015).
///
/// Training uses the batch's statistics and lets the moving ones follow, moving ← momentum·moving + (1 − momentum)·batch;
/// inference uses the moving ones, and so does training where gamma and beta are not trained (`Parameters.setTrainable`), which
/// leaves them as they are. Of a layer that is called twice they follow both batches, one after the other. Parameters: gamma, beta,
/// moving_mean, moving_variance, all [channels].
public final class BatchNorm: Layer {
    public let momentum: Double
    public let epsilon: Double
    private let gammaInitializer: any Initializer
    private let betaInitializer: any Initializer

    public init(
        momentum: Double = 0.99, epsilon: Double = 1e-3, gammaInitializer: any Initializer = Filled(1),
        betaInitializer: any Initializer = Filled(0), name: String = ""
    ) {
        self.momentum = momentum
        self.epsilon = epsilon
        self.gammaInitializer = gammaInitializer
        self.betaInitializer = betaInitializer
        super.init(name: name)
    }

    public override var runsStepByStep: Bool { true }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try onlyInput(inputs)
        let channels = [x.shape.last]
        var operands = [
            x,
            try context.parameter("gamma", channels, gammaInitializer),
            try context.parameter("beta", channels, betaInitializer),
            try context.parameter("moving_mean", channels, Filled(0), trainable: false),
            try context.parameter("moving_variance", channels, Filled(1), trainable: false),
        ]
        let epsilon = Float(self.epsilon), momentum = Float(self.momentum)
        let isFrozen = !context.isTrainable("gamma") && !context.isTrainable("beta")
        guard context.phase == .training, !context.fixesBatchNorm, !isFrozen else {
            return [try context.node(ApusGraph.BatchNorm(epsilon: epsilon, momentum: momentum), operands)[0]]
        }
        operands[3] = context.updated("moving_mean") ?? operands[3]
        operands[4] = context.updated("moving_variance") ?? operands[4]
        let results = try context.node(BatchNormTraining(epsilon: epsilon, momentum: momentum), operands)
        try context.update("moving_mean", to: results[1])
        try context.update("moving_variance", to: results[2])
        return [results[0]]
    }
}
