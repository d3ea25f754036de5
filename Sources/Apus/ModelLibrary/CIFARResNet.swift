import ApusGraph

extension ModelLibrary {
    /// A residual network for small images (He, Zhang, Ren, Sun 2016, section 4.2): a convolution, then for each
    /// width a stage of `depth` blocks, every stage but the first halving the image, then the mean and a dense layer.
    ///
    /// The shortcut into a stage of another width is a 1×1 convolution. Three widths make 6·depth + 2 layers.
    public static func cifarResNet(
        depth: Int = 2, widths: [Int] = [16, 32, 64], input: [Int] = [32, 32, 3], classes: Int = 10,
        weightDecay: Double = 0, seed: UInt64 = 0
    ) throws(ApusError) -> Network {
        let first = widths.first ?? 16
        let decay = weightDecay > 0 ? L2(weightDecay) : nil
        return try Sequential(input: input, output: "logits", name: "cifar-resnet", seed: seed) {
            normalized(first, kernel: 3, regularizer: decay)
            ReLU()
            for (stage, width) in widths.enumerated() {
                for block in 0..<depth {
                    let entersStage = stage > 0 && block == 0
                    residualBlock(
                        width, stride: entersStage ? 2 : 1,
                        projects: entersStage, regularizer: decay)
                }
            }
            GlobalAvgPool2D()
            Dense(classes, kernelInitializer: HeNormal(), kernelRegularizer: decay)
        }
    }

    /// A convolution without bias and its normalization.
    private static func normalized(
        _ filters: Int, kernel: Size2D, stride: Size2D = 1, regularizer: (any Regularizer)?
    ) -> [Layer] {
        [
            Conv2D(
                filters, kernel: kernel, stride: stride, padding: .same, usesBias: false,
                kernelInitializer: HeNormal(), kernelRegularizer: regularizer),
            BatchNorm(momentum: 0.9, epsilon: 1e-5),
        ]
    }

    private static func residualBlock(
        _ width: Int, stride: Size2D, projects: Bool, regularizer: (any Regularizer)?
    ) -> Layer {
        Residual(activation: .relu) {
            normalized(width, kernel: 3, stride: stride, regularizer: regularizer)
            ReLU()
            normalized(width, kernel: 3, regularizer: regularizer)
        } shortcut: {
            if projects { normalized(width, kernel: 1, stride: stride, regularizer: regularizer) }
        }
    }
}
