import ApusGraph
import ApusRuntime

/// Continues texts with a language model.
///
///     let generator = try TextGenerator(try Model(path: "gpt.apus"))
///     try generator.generate("ROMEO:", GenerationOptions(sampling: Sampling(temperature: 0.8))) { print($0, terminator: ""); return true }
public final class TextGenerator {
    public let tokenizer: any Tokenizer
    /// Those that end a text, as the file says.
    public let endTokens: Set<Int>
    private let stream: TokenStream

    /// - Parameter tokenizer: nil takes the one that the file carries.
    public init(_ model: ApusRuntime.Model, tokenizer: (any Tokenizer)? = nil, threads: Int = 1) throws(ApusError) {
        let carried = tokenizer == nil ? try TokenizerMetadata.read(model.graph.metadata) : nil
        guard let tokenizer = tokenizer ?? carried else {
            throw .argument("a model without a tokenizer, wanted one in the file or beside it")
        }
        self.tokenizer = tokenizer
        endTokens = try TokenizerMetadata.endTokens(model.graph.metadata)
        stream = try TokenStream(model, threads: threads)
        guard tokenizer.vocabularySize <= stream.vocabularySize else {
            throw .shape("a tokenizer of \(tokenizer.vocabularySize) tokens for a model of \(stream.vocabularySize)")
        }
    }

    /// What comes after a prompt, which begins a new stream. `onText` hears each piece as it is found, whole characters only, and
    /// ends the generation by returning false.
    @discardableResult
    public func generate(
        _ prompt: String, _ options: GenerationOptions = GenerationOptions(), onText: (String) -> Bool = { _ in true }
    ) throws(ApusError) -> Generation {
        var tokens = tokenizer.encode(prompt)
        guard !tokens.isEmpty else {
            let missing = tokenizer.missing(from: prompt)
            throw .argument(missing.isEmpty ? "a prompt without a token, wanted 1 or more"
                : "a prompt of '\(missing)', wanted characters of the vocabulary")
        }
        let promptCount = tokens.count
        let stopTokens = options.stopTokens ?? endTokens
        for token in options.stopTokens ?? [] where !(0..<stream.vocabularySize ~= token) {
            throw .argument("stop token \(token), wanted 0 ..< \(stream.vocabularySize)")
        }
        var sampler = try Sampler(options.sampling)
        var text = GeneratedText(tokenizer, stops: options.stopTexts)
        stream.reset()
        var logits = try stream.read(tokens)
        let clock = ContinuousClock(), began = clock.now
        var end = Generation.End.length
        while tokens.count - promptCount < options.maximumTokens {
            let token = try sampler.next(logits, after: tokens)
            if stopTokens.contains(token) {
                end = .stop
                break
            }
            tokens.append(token)
            let piece = text.append(token)
            if !piece.isEmpty && !onText(piece) {
                end = .callback
                break
            }
            if text.isStopped {
                end = .stop
                break
            }
            guard tokens.count - promptCount < options.maximumTokens else { break }
            if stream.length == stream.positions {
                end = .context
                break
            }
            logits = try stream.read(CollectionOfOne(token))
        }
        let seconds = began.duration(to: clock.now) / .seconds(1), rest = text.finish()
        if !rest.isEmpty && end != .callback { _ = onText(rest) }
        return Generation(
            text: text.text, tokens: Array(tokens[promptCount...]), promptTokens: promptCount, end: end,
            seconds: seconds)
    }
}

public struct GenerationOptions: Sendable {
    public var maximumTokens: Int
    public var sampling: Sampling
    /// Tokens that end the text and are no part of it; nil: those that the model's file says.
    public var stopTokens: Set<Int>?
    /// Texts that end it where they begin.
    public var stopTexts: [String]

    public init(
        maximumTokens: Int = 256, sampling: Sampling = Sampling(), stopTokens: Set<Int>? = nil, stopTexts: [String] = []
    ) {
        self.maximumTokens = maximumTokens
        self.sampling = sampling
        self.stopTokens = stopTokens
        self.stopTexts = stopTexts
    }
}

/// What was generated.
public struct Generation: Sendable {
    public enum End: String, Sendable, Codable {
        /// As many tokens as were asked for; a token or text that ends it; the callback; no position left in the model.
        case length, stop, callback, context
    }

    public let text: String
    public let tokens: [Int]
    public let promptTokens: Int
    public let end: End
    /// From when the prompt was read, which gives the first token, to the end.
    public let seconds: Double
}
