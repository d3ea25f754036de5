/// What becomes integers, and when their scales are found.
public enum QuantizationScheme: String, Sendable, CaseIterable {
    /// Weights and activations, scales found by calibration.
    case int8
    /// Weights of dense and recurrent layers, and each row of their inputs and states when it is run.
    case int8Dynamic = "int8-dynamic"
    /// Weights of dense and recurrent layers alone, in int8.
    case w8
    /// Weights of dense and recurrent layers alone, in int4 by blocks.
    case w4
    /// Weights of dense and recurrent layers in int4 by blocks, and each row of their inputs in int8 when it is run.
    case w4Dynamic = "w4-dynamic"
    /// Packed weights as halves.
    case f16, bf16
}

extension QuantizationScheme {
    /// Whether weights are of four bits.
    var isNarrow: Bool { self == .w4 || self == .w4Dynamic }
}

/// How a graph is quantized.
public struct QuantizationOptions: Sendable {
    public var scheme: QuantizationScheme
    public var method: CalibrationMethod
    /// Names of nodes that stay real.
    public var keepFloat: Set<String>
    /// Rows of W that share a scale in w4 and w4-dynamic: 32, 64 or 128.
    public var block: Int
    /// Of int8: evens out the weights of products that follow one another (Nagel et al. 2019, section 4.1).
    public var equalizes = false
    /// Of int8: what rounded weights change in the mean of a product's outputs is taken off its bias (the same, section 4.2),
    /// with the mean inputs of calibration.
    public var correctsBias = false
    /// Of int8: α of SmoothQuant (Xiao et al. 2023), 0 ... 1; nil leaves it.
    public var smoothing: Double?

    public init(
        _ scheme: QuantizationScheme = .int8, method: CalibrationMethod = .mse, keepFloat: Set<String> = [], block: Int = 32
    ) {
        self.scheme = scheme
        self.method = method
        self.keepFloat = keepFloat
        self.block = block
    }
}
