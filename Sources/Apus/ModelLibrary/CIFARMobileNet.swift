import ApusGraph

extension ModelLibrary {
    /// A network of depthwise-separable convolutions for small images, after Howard et al. 2017: a 3×3 convolution, then for
    /// each of `blocks` a depthwise 3×3 and a 1×1 convolution, each with batch normalization and ReLU6, then the mean and a
    /// dense layer; 136,778 trained parameters for images of 32 × 32 × 3.
    ///
    /// - Parameter blocks: the channels each block makes, and its stride.
    public static func cifarMobileNet(
        first: Int = 32, blocks: [(channels: Int, stride: Int)] = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1)],
        input: [Int] = [32, 32, 3], classes: Int = 10, weightDecay: Double = 0, seed: UInt64 = 0
    ) throws(ApusError) -> Network {
        let decay = weightDecay > 0 ? L2(weightDecay) : nil
        return try Sequential(input: input, output: "logits", name: "cifar-mobilenet", seed: seed) {
            normalized(
                Conv2D(
                    first, kernel: 3, padding: .same, usesBias: false, kernelInitializer: HeNormal(),
                    kernelRegularizer: decay))
            for block in blocks {
                normalized(
                    DepthwiseConv2D(
                        kernel: 3, stride: Size2D(block.stride, block.stride), padding: .same, usesBias: false,
                        kernelInitializer: HeNormal()))
                normalized(
                    Conv2D(
                        block.channels, kernel: 1, usesBias: false, kernelInitializer: HeNormal(),
                        kernelRegularizer: decay))
            }
            GlobalAvgPool2D()
            Dense(classes, kernelInitializer: HeNormal(), kernelRegularizer: decay)
        }
    }

    private static func normalized(_ convolution: Layer) -> [Layer] {
        [convolution, BatchNorm(momentum: 0.9, epsilon: 1e-5), ReLU6()]
    }
}
