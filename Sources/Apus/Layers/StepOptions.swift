import ApusGraph

/// How a network that reads a sequence runs element by element: as functions that remember what they have read.
public struct StepOptions: Sendable {
    /// Elements that a run takes, a function for each: "step" of 1, "step_16" of 16. All continue the same stream.
    public var chunks: [Int]
    /// Elements that attention looks back on; the oldest are forgotten. nil: as many as the network's input has.
    public var context: Int?
    /// What keys and values are kept as: f32, f16, bf16, or i8 with a scale for each head of an element. Only f32 gives the bits of the whole sequence.
    public var cache: DType

    /// Whether the file holds `predict` too. A session plans every function, and a whole sequence may take much memory.
    public var includesPredict: Bool

    public init(chunks: [Int] = [1], context: Int? = nil, cache: DType = .f32, includesPredict: Bool = true) {
        self.chunks = chunks
        self.context = context
        self.cache = cache
        self.includesPredict = includesPredict
    }

    /// The entry of metadata that says how many elements a stream may have, where positions are looked up in a table.
    public static let positionsKey = "stream.positions"

    /// The function of a chunk.
    public static func functionName(chunk: Int) -> String { chunk == 1 ? "step" : "step_\(chunk)" }
}
