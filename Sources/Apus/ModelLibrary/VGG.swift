import ApusGraph

extension ModelLibrary {
    /// VGG-11 or -16 (Simonyan and Zisserman 2015) for images of ImageNet, without batch normalization, with layers named as
    /// torchvision names them: features.0 …, classifier.0, classifier.3, classifier.6. The image is flattened channels first, so
    /// that classifier.0 reads it in their order.
    ///
    /// - Parameters:
    ///   - width: channels of the first convolution, 64 in the paper.
    ///   - units: of the two hidden dense layers, 4096 in the paper.
    public static func vgg(
        _ layers: Int, input: [Int] = [224, 224, 3], classes: Int = 1000, width: Int = 64, units: Int = 4096,
        dropout: Double = 0.5, seed: UInt64 = 0
    ) throws(ApusError) -> Network {
        let stages: [Int: [Int]] = [11: [1, 1, 2, 2, 2], 16: [2, 2, 3, 3, 3]]
        guard let depths = stages[layers] else { throw .argument("a VGG of \(layers) layers, wanted 11 or 16") }
        return try Sequential(input: input, output: "logits", name: "vgg\(layers)", seed: seed) {
            features(depths, width)
            Permute(3, 1, 2)
            Flatten()
            Dense(units, activation: .relu, kernelInitializer: HeNormal(), name: "classifier.0")
            Dropout(dropout)
            Dense(units, activation: .relu, kernelInitializer: HeNormal(), name: "classifier.3")
            Dropout(dropout)
            Dense(classes, name: "classifier.6")
        }
    }

    /// Convolutions, each counted with its ReLU, and a pool after each stage.
    private static func features(_ depths: [Int], _ width: Int) -> [Layer] {
        var layers: [Layer] = [], place = 0
        for (stage, depth) in depths.enumerated() {
            for _ in 0..<depth {
                layers.append(
                    Conv2D(
                        width << min(stage, 3), kernel: 3, padding: .same, activation: .relu, kernelInitializer: HeNormal(),
                        name: "features.\(place)"))
                place += 2
            }
            layers.append(MaxPool2D(2, name: "features.\(place)"))
            place += 1
        }
        return layers
    }
}
