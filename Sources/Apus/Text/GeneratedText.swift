/// The text of tokens as they come: what is handed out is never taken back. A token costs no more late in a text than early.
struct GeneratedText {
    private let tokenizer: any Tokenizer
    private let stops: [[Unicode.Scalar]]
    /// The beginning of a character.
    private var bytes: [UInt8] = []
    /// Whole characters that may begin a stop.
    private var held: [Unicode.Scalar] = []
    /// What was handed out.
    private(set) var text = ""
    private(set) var isStopped = false

    init(_ tokenizer: any Tokenizer, stops: [String]) {
        self.tokenizer = tokenizer
        self.stops = stops.filter { !$0.isEmpty }.map { Array($0.unicodeScalars) }
    }

    /// The text that a token adds, so far as no later token can change it.
    mutating func append(_ token: Int) -> String {
        bytes += tokenizer.bytes(of: token, atStart: text.isEmpty && held.isEmpty && bytes.isEmpty)
        release(bytes.count - GeneratedText.unfinished(bytes))
        if let stop = firstStop() {
            isStopped = true
            bytes = []
            held.removeSubrange(stop...)
            return take(held.count)
        }
        return take(held.count - beginningOfStop())
    }

    /// What was held back.
    mutating func finish() -> String {
        release(bytes.count)
        return take(held.count)
    }

    private mutating func release(_ count: Int) {
        held += String(decoding: bytes.prefix(count), as: UTF8.self).unicodeScalars
        bytes.removeFirst(count)
    }

    private mutating func take(_ count: Int) -> String {
        let piece = String(String.UnicodeScalarView(held.prefix(count)))
        held.removeFirst(count)
        text += piece
        return piece
    }

    /// Where in `held` the first of the stops begins.
    private func firstStop() -> Int? {
        held.indices.first { start in stops.contains { held[start...].starts(with: $0) } }
    }

    /// Scalars at the end of `held` that a stop may begin with.
    private func beginningOfStop() -> Int {
        let start = held.indices.first { start in stops.contains { $0.starts(with: held[start...]) } }
        return start.map { held.count - $0 } ?? 0
    }

    /// Bytes at the end, 3 at most, that others can make a character: as in table 3-7 of the Unicode Standard.
    private static func unfinished(_ bytes: [UInt8]) -> Int {
        for count in 1..<4 where count <= bytes.count {
            let lead = bytes[bytes.count - count]
            if 0x80..<0xC0 ~= lead { continue }
            let length = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1
            guard count < length else { return 0 }
            let seconds: ClosedRange<UInt8> =
                switch lead {
                case 0xE0: 0xA0...0xBF
                case 0xED: 0x80...0x9F
                case 0xF0: 0x90...0xBF
                case 0xF4: 0x80...0x8F
                default: 0x80...0xBF
                }
            return count == 1 || seconds ~= bytes[bytes.count - count + 1] ? count : 0
        }
        return 0
    }
}
