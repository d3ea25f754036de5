import ApusGraph

extension ModelLibrary {
    /// In the manner of Simonyan and Zisserman (2015): for each width two 3×3 convolutions with padding and a pool,
    /// then two dense layers; with batch normalization, and dropout before each dense layer.
    public static func vggStyle(
        widths: [Int] = [32, 64, 128], units: Int = 128, dropout: Double = 0.3, input: [Int] = [32, 32, 3],
        classes: Int = 10, seed: UInt64 = 0
    ) throws(ApusError) -> Network {
        try Sequential(input: input, output: "logits", name: "vgg-style", seed: seed) {
            for width in widths {
                for _ in 0..<2 {
                    Conv2D(width, kernel: 3, padding: .same, usesBias: false, kernelInitializer: HeNormal())
                    BatchNorm(momentum: 0.9)
                    ReLU()
                }
                MaxPool2D(2)
            }
            Flatten()
            Dropout(dropout)
            Dense(units, activation: .relu, kernelInitializer: HeNormal())
            Dropout(dropout)
            Dense(classes)
        }
    }
}
