import ApusGraph

/// The greatest of every window of images [batch, height, width, channels], each channel by itself.
public final class MaxPool2D: Layer {
    public let size: Size2D
    /// The size where it is not given.
    public let stride: Size2D
    public let padding: Padding

    public init(_ size: Size2D = 2, stride: Size2D? = nil, padding: Padding = .valid, name: String = "") {
        self.size = size
        self.stride = stride ?? size
        self.padding = padding
        super.init(name: name)
    }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try image(inputs)
        guard context.phase == .training, size.height * size.width <= 256 else {
            return [try context(MaxPool(kernel: size, strides: stride, padding: padding), x)]
        }
        return [try context.node(MaxPoolIndex(kernel: size, strides: stride, padding: padding), [x])[0]]
    }
}
