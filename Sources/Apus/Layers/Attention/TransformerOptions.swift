import ApusGraph

/// What the blocks of a transformer are made of.
public struct TransformerOptions: Sendable {
    public enum Normalization: Sendable { case layerNorm, rmsNorm }

    /// Where the norms stand: before each part, x + part(norm(x)), or after it, norm(x + part(x)).
    public enum Placement: Sendable { case before, after }

    /// What follows attention, of `inner` units.
    public enum FeedForward: Sendable {
        /// act(x·A + a)·B + b
        case plain(Activation)
        /// (act(x·G + g)·(x·A + a))·B + b; with SiLU it is SwiGLU (Shazeer 2020).
        case gated(Activation)
    }

    public var width: Int
    public var heads: Int
    public var keyValueHeads: Int?
    public var inner: Int
    public var feedForward: FeedForward = .plain(.gelu)
    public var normalization: Normalization = .layerNorm
    public var placement: Placement = .before
    public var epsilon = 1e-5
    public var rotary: RotaryPositions?
    /// Of the scores; nil: 1 / √(width / heads).
    public var attentionScale: Double?
    public var usesBias = true
    public var dropout = 0.0
    /// Of all kernels, and of those whose result is added to x.
    public var kernelInitializer: any Initializer = GlorotUniform()
    public var residualInitializer: (any Initializer)?

    /// `inner` is 4 · width unless given.
    public init(width: Int, heads: Int, inner: Int? = nil) {
        self.width = width
        self.heads = heads
        // Where that overflows, so does the width, which layers refuse.
        self.inner = inner ?? width.multipliedReportingOverflow(by: 4).partialValue
    }

    /// A norm; of every axis but the batch and time.
    public func norm(name: String = "") -> Layer {
        switch normalization {
        case .layerNorm: LayerNorm(epsilon: epsilon, name: name)
        case .rmsNorm: RMSNorm(epsilon: epsilon, name: name)
        }
    }
}
