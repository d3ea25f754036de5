import ApusGraph

/// What is done to a training step once its gradients stand, in this order. Products take up a ReLU that follows them, whose
/// gradient is told from its result, by the pass that does so when a file is written.
let trainingPasses: [RewritePass] = [
    fuseActivationPass, pushActivationGradientPass, fuseConvolutionPoolPass, fuseBatchNormPass,
    chooseGradientAlgorithmsPass,
]
