/// What is known of every character, as runs of characters of one value.
struct CharacterRuns: Sendable {
    private var firsts: [UInt32] = []
    private var values: [UInt8] = []

    /// From a table of "first:value", hexadecimal.
    init(_ table: String) {
        for run in table.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            let numbers = run.split(separator: ":").map { UInt32($0, radix: 16)! }
            firsts.append(numbers[0])
            values.append(UInt8(numbers[1]))
        }
    }

    subscript(character: Unicode.Scalar) -> UInt8 {
        var low = 0, high = firsts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if firsts[middle] <= character.value { low = middle } else { high = middle }
        }
        return values[low]
    }
}

/// Normalization form D and lowercase, as the tables have them.
struct CharacterMaps: Sendable {
    static let shared = CharacterMaps()

    private let combining = CharacterRuns(UnicodeTables.combining)
    private var decompositions: [UInt32: (first: UInt32, second: UInt32)] = [:]
    private var lowercase: [(first: UInt32, last: UInt32, step: UInt32, distance: Int32)] = []

    private init() {
        func rows(_ table: String) -> [[Int]] {
            table.split { $0 == " " || $0 == "\n" }.map { row in row.split(separator: ":").map { Int($0, radix: 16)! } }
        }
        for row in rows(UnicodeTables.decompositions) {
            decompositions[UInt32(row[0])] = (UInt32(row[1]), UInt32(row[2]))
        }
        for row in rows(UnicodeTables.lowercase) {
            lowercase.append((UInt32(row[0]), UInt32(row[1]), UInt32(row[2]), Int32(row[3])))
        }
    }

    /// Decomposed, each run of marks in the order of their classes, equal ones as they came.
    func decomposed(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        for character in text { append(character.value, to: &result) }
        var start = 0
        for end in 0...result.count where end == result.count || combining[result[end]] == 0 {
            if end - start > 1 {
                let sorted = (start..<end).sorted { (combining[result[$0]], $0) < (combining[result[$1]], $1) }
                result.replaceSubrange(start..<end, with: sorted.map { result[$0] })
            }
            start = end + 1
        }
        return result
    }

    private func append(_ character: UInt32, to result: inout [Unicode.Scalar]) {
        if 0xAC00...0xD7A3 ~= character {
            // Syllables of Hangul: leading, vowel and trailing letters by arithmetic.
            let syllable = character - 0xAC00
            for letter in [0x1100 + syllable / 588, 0x1161 + syllable % 588 / 28] { result.append(Unicode.Scalar(letter)!) }
            if syllable % 28 > 0 { result.append(Unicode.Scalar(0x11A7 + syllable % 28)!) }
        } else if let parts = decompositions[character] {
            append(parts.first, to: &result)
            if parts.second > 0 { append(parts.second, to: &result) }
        } else if let scalar = Unicode.Scalar(character) {
            result.append(scalar)
        }
    }

    func lowercased(_ character: Unicode.Scalar) -> [Unicode.Scalar] {
        if character == "\u{130}" { return ["i", "\u{307}"] }
        let code = character.value
        var low = 0, high = lowercase.count
        while low < high {
            let middle = (low + high) / 2
            if lowercase[middle].last < code { low = middle + 1 } else { high = middle }
        }
        guard low < lowercase.count, code >= lowercase[low].first, (code - lowercase[low].first) % lowercase[low].step == 0,
            let small = Unicode.Scalar(UInt32(Int32(code) + lowercase[low].distance))
        else { return [character] }
        return [small]
    }
}
