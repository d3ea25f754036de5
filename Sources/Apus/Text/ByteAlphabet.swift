/// The characters that stand for bytes in the vocabularies of byte-level BPE: printable Latin ones for themselves, those
/// from U+0100 on for the others in turn. Radford et al.: Language Models are Unsupervised Multitask Learners, 2019.
enum ByteAlphabet {
    static let characters: [Unicode.Scalar] = {
        var next: UInt32 = 0x100
        return (0..<256).map { (byte: UInt32) in
            if 33...126 ~= byte || 161...172 ~= byte || 174...255 ~= byte { return Unicode.Scalar(byte)! }
            defer { next += 1 }
            return Unicode.Scalar(next)!
        }
    }()

    private static let bytes = Dictionary(uniqueKeysWithValues: characters.enumerated().map { ($1, UInt8($0)) })

    static func text(_ bytes: some Sequence<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        for byte in bytes { text.append(characters[Int(byte)]) }
        return String(text)
    }

    /// The bytes that a token stands for; those of the token itself where it has another character.
    static func bytes(_ token: String) -> [UInt8] {
        var result: [UInt8] = []
        for character in token.unicodeScalars {
            guard let byte = bytes[character] else { return Array(token.utf8) }
            result.append(byte)
        }
        return result
    }
}

/// Splits text as GPT-2 does before it looks for pairs: an English contraction; letters, digits or other symbols, with a
/// space that stands before them; blanks, the last of which is left to what follows.
enum WordSplitter {
    private static let classes = CharacterRuns(UnicodeTables.pieces)
    private static let blank: UInt8 = 2
    private static let contractions = ["s", "t", "re", "ve", "m", "ll", "d"].map { Array($0.unicodeScalars) }

    static func words(_ text: some StringProtocol) -> [ArraySlice<Unicode.Scalar>] {
        let characters = Array(text.unicodeScalars)
        var kinds = [UInt8](repeating: 0, count: characters.count)
        for (i, character) in characters.enumerated() {
            kinds[i] = character.value < 128 ? ascii[Int(character.value)] : classes[character]
        }
        var words: [ArraySlice<Unicode.Scalar>] = []
        var start = 0
        while start < characters.count {
            let end = self.end(characters, kinds, start)
            words.append(characters[start..<end])
            start = end
        }
        return words
    }

    private static let ascii: [UInt8] = (0..<128).map { classes[Unicode.Scalar($0)] }

    private static func end(_ characters: [Unicode.Scalar], _ kinds: [UInt8], _ start: Int) -> Int {
        if characters[start] == "'" {
            for rest in contractions where characters[(start + 1)...].starts(with: rest) { return start + 1 + rest.count }
        }
        func run(_ from: Int) -> Int {
            var end = from + 1
            while end < kinds.count && kinds[end] == kinds[from] { end += 1 }
            return end
        }
        if kinds[start] != blank { return run(start) }
        if characters[start] == " ", start + 1 < kinds.count, kinds[start + 1] != blank { return run(start + 1) }
        let end = run(start)
        return end < kinds.count && end - start > 1 ? end - 1 : end
    }
}
