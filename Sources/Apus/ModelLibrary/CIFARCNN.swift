import ApusGraph

extension ModelLibrary {
    /// Conv 32 3×3, pool, Conv 64 3×3, pool, Conv 64 3×3, Dense 64, Dense 10; 122,570 parameters for images of 32 × 32.
    public static func cifarCNN(
        input: [Int] = [32, 32, 3], classes: Int = 10, seed: UInt64 = 0
    ) throws(ApusError) -> Network {
        try Sequential(input: input, output: "logits", name: "cifar-cnn", seed: seed) {
            Conv2D(32, kernel: 3, activation: .relu)
            MaxPool2D(2)
            Conv2D(64, kernel: 3, activation: .relu)
            MaxPool2D(2)
            Conv2D(64, kernel: 3, activation: .relu)
            Flatten()
            Dense(64, activation: .relu)
            Dense(classes)
        }
    }
}
