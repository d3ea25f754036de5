import ApusGraph
import ApusRuntime

/// A language model that reads tokens and says what may come next: the `step` functions of a file, one stream.
///
/// The functions take tokens i32 or i64 [1, chunk] and give logits f32 [1, chunk, vocabulary].
public final class TokenStream {
    public let vocabularySize: Int
    /// How many tokens a stream may have; nil: any number.
    public let positions: Int?
    /// The tokens that were read since the stream began.
    public private(set) var length = 0
    private let session: Session
    /// The functions of the stream, the one of most tokens first; the last takes one.
    private let steps: [(function: Int, chunk: Int)]

    /// - Parameter threads: that a step may use.
    public init(_ model: ApusRuntime.Model, threads: Int = 1) throws(ApusError) {
        var steps: [(function: Int, chunk: Int)] = []
        var size: Int?
        for (index, function) in model.graph.functions.enumerated() where function.inputs.count == 1 {
            let input = function.inputs[0].type
            guard input.shape.rank == 2, input.shape[0] == 1, input.shape[1] > 0,
                function.name == StepOptions.functionName(chunk: input.shape[1])
            else { continue }
            guard input.dtype == .i32 || input.dtype == .i64, let output = function.outputs.first?.type,
                output.dtype == .f32, output.shape.rank == 3, output.shape[0] == 1, output.shape[1] == input.shape[1],
                output.shape[2] > 0, size == nil || size == output.shape[2]
            else { throw .shape("function '\(function.name)' takes \(input), wanted tokens in and f32 logits of each out") }
            size = output.shape[2]
            steps.append((index, input.shape[1]))
        }
        steps.sort { $0.chunk > $1.chunk }
        guard let vocabularySize = size, steps.last?.chunk == 1 else {
            throw .unsupported("no function 'step' of one token, wanted a model of 'convert-model --steps 1,16' or exported with steps")
        }
        self.steps = steps
        self.vocabularySize = vocabularySize
        positions = try model.graph.metadata.first { $0.key == StepOptions.positionsKey }.map { entry throws(ApusError) in
            guard let count = Int(entry.value), count > 0 else {
                throw .file("\(entry.key) '\(entry.value)', wanted a number of 1 or more")
            }
            return count
        }
        var options = SessionOptions()
        options.threads = threads
        // The stream runs no function over batches.
        options.dimensionLimits = model.graph.dimensions.map { ($0.name, $0.minimum) }
        session = try Session(model, options)
    }

    deinit { session.destroy() }

    /// Forgets what was read.
    public func reset() {
        session.resetStates()
        length = 0
    }

    /// Reads tokens, 1 or more, and returns the logits of the one that comes after them, [vocabularySize].
    ///
    /// - Throws: `.invalidArgument` for none, for one outside the vocabulary, and for more than `positions` in the stream.
    public func read(_ tokens: some Collection<Int>) throws(ApusError) -> [Float] {
        guard !tokens.isEmpty else { throw .argument("no tokens, wanted 1 or more") }
        for token in tokens where !(0..<vocabularySize ~= token) {
            throw .argument("token \(token), wanted 0 ..< \(vocabularySize)")
        }
        if let positions, tokens.count > positions - length {
            throw .argument("a stream of \(length + tokens.count) tokens, wanted at most \(positions), the model's positions")
        }
        var rest = Array(tokens)[...]
        var logits: [Float] = []
        while !rest.isEmpty {
            let step = steps.first { $0.chunk <= rest.count }!
            try set(rest.prefix(step.chunk), step.function)
            try session.run(function: step.function)
            rest = rest.dropFirst(step.chunk)
            length += step.chunk
            if rest.isEmpty { logits = try lastLogits(step.function, step.chunk) }
        }
        return logits
    }

    private func set(_ tokens: ArraySlice<Int>, _ function: Int) throws(ApusError) {
        let type = try session.type(.input, function: function, 0)
        let memory = try session.address(.input, function: function, 0)
        for (i, token) in tokens.enumerated() {
            if type.dtype == .i32 {
                memory.storeBytes(of: Int32(clamping: token), toByteOffset: 4 * i, as: Int32.self)
            } else {
                memory.storeBytes(of: Int64(token), toByteOffset: 8 * i, as: Int64.self)
            }
        }
        try session.markSet(function: function, input: 0)
    }

    private func lastLogits(_ function: Int, _ chunk: Int) throws(ApusError) -> [Float] {
        let address = try session.address(.output, function: function, 0)
        let row = address + (chunk - 1) * vocabularySize * MemoryLayout<Float>.stride
        return Array(UnsafeRawBufferPointer(start: row, count: vocabularySize * 4).bindMemory(to: Float.self))
    }
}
