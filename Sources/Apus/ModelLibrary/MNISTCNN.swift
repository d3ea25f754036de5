import ApusGraph

extension ModelLibrary {
    /// Conv 32 3×3, pool, Conv 64 3×3, pool, Dense 128, Dense 10; 225,034 parameters for images of 28 × 28.
    public static func mnistCNN(
        input: [Int] = [28, 28, 1], classes: Int = 10, seed: UInt64 = 0
    ) throws(ApusError) -> Network {
        try Sequential(input: input, output: "logits", name: "mnist-cnn", seed: seed) {
            Conv2D(32, kernel: 3, activation: .relu)
            MaxPool2D(2)
            Conv2D(64, kernel: 3, activation: .relu)
            MaxPool2D(2)
            Flatten()
            Dense(128, activation: .relu)
            Dense(classes)
        }
    }
}
