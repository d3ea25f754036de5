import ApusGraph
import ApusRuntime

/// Continues texts with a language model.
///
///     let generator = try TextGenerator(try Model(path: "gpt.apus"))
///     try generator.generate("ROMEO:", GenerationOptions(sampling: Sampling(temperature: 0.8))) { print($0, terminator: ""); return true }
public final class TextGenerator {
    public let tokenizer: any Tokenizer
    private let stream: TokenStream

    /// - Parameter tokenizer: nil takes the one that the file carries.
    public init(_ model: ApusRuntime.Model, tokenizer: (any Tokenizer)? = nil, threads: Int = 1) throws(ApusError) {
        let carried = tokenizer == nil ? try TokenizerMetadata.read(model.graph.metadata) : nil
        guard let tokenizer = tokenizer ?? carried else {
            throw .argument("a model without a tokenizer, wanted one in the file or beside it")
        }
        self.tokenizer = tokenizer
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
        guard !tokens.isEmpty else { throw .argument("a prompt without a token, wanted 1 or more") }
        let promptCount = tokens.count
        var sampler = try Sampler(options.sampling)
        var text = GeneratedText(tokenizer, stops: options.stopTexts)
        stream.reset()
        var logits = try stream.read(tokens)
        var end = Generation.End.length
        while tokens.count - promptCount < options.maximumTokens {
            let token = try sampler.next(logits, after: tokens)
            if options.stopTokens.contains(token) {
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
            if tokens.count - promptCount < options.maximumTokens { logits = try stream.read(CollectionOfOne(token)) }
        }
        let rest = text.finish()
        if !rest.isEmpty && end != .callback { _ = onText(rest) }
        return Generation(
            text: text.text, tokens: Array(tokens[promptCount...]), promptTokens: promptCount, end: end)
    }
}

public struct GenerationOptions: Sendable {
    public var maximumTokens: Int
    public var sampling: Sampling
    /// Tokens that end the text and are no part of it.
    public var stopTokens: Set<Int>
    /// Texts that end it where they begin.
    public var stopTexts: [String]

    public init(
        maximumTokens: Int = 256, sampling: Sampling = Sampling(), stopTokens: Set<Int> = [], stopTexts: [String] = []
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
        /// As many tokens as were asked for; a token or text that ends it; the callback.
        case length, stop, callback
    }

    public let text: String
    public let tokens: [Int]
    public let promptTokens: Int
    public let end: End
}

/// The text of tokens as they come: what is handed out is never taken back.
struct GeneratedText {
    private let tokenizer: any Tokenizer
    private let stops: [String]
    private var tokens: [Int] = []
    /// Characters handed out.
    private var given = 0
    private(set) var text = ""
    private(set) var isStopped = false

    init(_ tokenizer: any Tokenizer, stops: [String]) {
        self.tokenizer = tokenizer
        self.stops = stops.filter { !$0.isEmpty }
    }

    /// The text that a token adds, so far as no later token can change it.
    mutating func append(_ token: Int) -> String {
        tokens.append(token)
        text = tokenizer.decode(tokens)
        for stop in stops {
            if let range = text.firstRange(of: stop) {
                text = String(text[..<range.lowerBound])
                isStopped = true
            }
        }
        return isStopped ? take(upTo: text.unicodeScalars.count) : take(upTo: text.unicodeScalars.count - held())
    }

    /// What was held back.
    mutating func finish() -> String { take(upTo: text.unicodeScalars.count) }

    /// Scalars at the end that may be the beginning of a stop, or half of a character.
    private func held() -> Int {
        let scalars = Array(text.unicodeScalars)
        var most = scalars.reversed().prefix { $0 == "\u{FFFD}" }.count
        for stop in stops {
            let wanted = Array(stop.unicodeScalars)
            for count in stride(from: min(wanted.count - 1, scalars.count), to: most, by: -1)
            where scalars.suffix(count).elementsEqual(wanted.prefix(count)) { most = count }
        }
        return most
    }

    private mutating func take(upTo end: Int) -> String {
        guard end > given else { return "" }
        let scalars = text.unicodeScalars.dropFirst(given).prefix(end - given)
        given = end
        return String(String.UnicodeScalarView(scalars))
    }
}
