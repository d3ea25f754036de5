import ApusGraph

extension ModelLibrary {
    /// ResNet-18, -34 or -50 (He, Zhang, Ren, Sun 2015) for images of ImageNet, with layers named as torchvision names them: conv1,
    /// bn1, layer1.0.conv1 …, fc. The stride of a bottleneck is at its 3 × 3 convolution, as there.
    ///
    /// - Parameter width: channels of the first stage, 64 in the paper.
    public static func resnet(
        _ layers: Int, input: [Int] = [224, 224, 3], classes: Int = 1000, width: Int = 64, seed: UInt64 = 0
    ) throws(ApusError) -> Network {
        let stages: [Int: [Int]] = [18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3]]
        guard let depths = stages[layers] else { throw .argument("a ResNet of \(layers) layers, wanted 18, 34 or 50") }
        let hasBottlenecks = layers >= 50
        let image = Input(input, name: "input")
        var x = ReLU(name: "relu")(normalized(image, width, kernel: 7, stride: 2, "conv1", "bn1"))
        x = MaxPool2D(3, stride: 2, padding: .around(1), name: "maxpool")(x)
        var channels = width
        for (stage, depth) in depths.enumerated() {
            for index in 0..<depth {
                let name = "layer\(stage + 1).\(index)", inner = width << stage, outer = hasBottlenecks ? 4 * inner : inner
                let stride = stage > 0 && index == 0 ? 2 : 1
                var y = x
                if hasBottlenecks {
                    y = ReLU(name: "\(name).relu1")(normalized(y, inner, kernel: 1, "\(name).conv1", "\(name).bn1"))
                    y = normalized(y, inner, kernel: 3, stride: stride, "\(name).conv2", "\(name).bn2")
                    y = normalized(ReLU(name: "\(name).relu2")(y), outer, kernel: 1, "\(name).conv3", "\(name).bn3")
                } else {
                    y = normalized(y, inner, kernel: 3, stride: stride, "\(name).conv1", "\(name).bn1")
                    y = normalized(ReLU(name: "\(name).relu1")(y), outer, kernel: 3, "\(name).conv2", "\(name).bn2")
                }
                if channels != outer || stride > 1 {
                    x = normalized(x, outer, kernel: 1, stride: stride, "\(name).downsample.0", "\(name).downsample.1")
                    channels = outer
                }
                x = ReLU(name: "\(name).relu")(Add(name: "\(name).add")(y, x))
            }
        }
        let logits = Dense(classes, name: "fc")(GlobalAvgPool2D(name: "avgpool")(x))
        return try Network(inputs: [image], outputs: [logits], outputNames: ["logits"], name: "resnet\(layers)", seed: seed)
    }

    /// A convolution that keeps the size, over the stride, and its normalization.
    private static func normalized(
        _ x: SymbolicTensor, _ filters: Int, kernel: Int, stride: Int = 1, _ convolution: String, _ norm: String
    ) -> SymbolicTensor {
        let conv = Conv2D(
            filters, kernel: .init(kernel, kernel), stride: .init(stride, stride), padding: .around(kernel / 2), usesBias: false,
            kernelInitializer: HeNormal(), name: convolution)
        return BatchNorm(momentum: 0.9, epsilon: 1e-5, name: norm)(conv(x))
    }
}

extension Padding {
    /// The same on all four sides.
    static func around(_ margin: Int) -> Padding { .explicit(top: margin, left: margin, bottom: margin, right: margin) }
}
