import ApusGraph

/// The greatest of every window of sequences [batch, time, channels], each channel by itself.
public final class MaxPool1D: Layer {
    private let pool: MaxPool2D

    /// The stride is the size where it is not given.
    public init(_ size: Int = 2, stride: Int? = nil, padding: Padding = .valid, name: String = "") {
        pool = MaxPool2D(Size2D(1, size), stride: Size2D(1, stride ?? size), padding: padding)
        super.init(name: name)
    }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        [try asImage(try sequence(inputs), context) { image throws(ApusError) in try pool.call([image], context)[0] }]
    }
}
