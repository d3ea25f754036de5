import ApusGraph

extension BytePairTokenizer {
    /// Merges the pair of tokens that texts have most often, of equals the one with lesser numbers, until the vocabulary is
    /// of a size or no pair is left. Special tokens are the first, then come the 256 bytes.
    ///
    /// Throws where the size has no room for these, one comes twice, or one is empty.
    public init(trainedOn texts: some Sequence<String>, vocabularySize: Int, special: [String] = []) throws(ApusError) {
        guard !special.contains("") else { throw .argument("an empty special token, wanted a text") }
        let alphabet = ByteAlphabet.characters.sorted()
        guard vocabularySize >= special.count + alphabet.count else {
            throw .argument("a vocabulary of \(vocabularySize), wanted at least \(special.count + alphabet.count)")
        }
        var training = PairCounts(texts, first: special.count, alphabet)
        var vocabulary = special + alphabet.map { String(Character($0)) }
        var numbers: [String: Int] = [:]
        for (number, token) in vocabulary.enumerated() where numbers.updateValue(number, forKey: token) != nil {
            throw .argument("special token '\(token)' twice, or that of a byte, wanted others")
        }
        var merges: [(String, String)] = []
        while vocabulary.count < vocabularySize, let pair = training.mostFrequent() {
            let merge = (vocabulary[pair.left], vocabulary[pair.right]), token = merge.0 + merge.1
            let number = numbers[token] ?? vocabulary.count
            if number == vocabulary.count {
                vocabulary.append(token)
                numbers[token] = number
            }
            merges.append(merge)
            training.merge(pair, into: number)
        }
        try self.init(vocabulary: vocabulary, merges: merges, special: special)
    }
}

/// How often words have each pair of tokens.
private struct PairCounts {
    struct Pair: Hashable, Comparable {
        let left, right: Int

        static func < (a: Pair, b: Pair) -> Bool { (a.left, a.right) < (b.left, b.right) }
    }

    private struct Candidate: Comparable {
        let pair: Pair
        let count: Int

        /// Whether it is to be merged sooner.
        static func < (a: Candidate, b: Candidate) -> Bool { a.count != b.count ? a.count > b.count : a.pair < b.pair }
    }

    private var words: [[Int]] = []
    private var frequencies: [Int] = []
    private var counts: [Pair: Int] = [:]
    /// Words that have had a pair.
    private var places: [Pair: Set<Int>] = [:]
    /// Counts in it may be of earlier.
    private var heap = Heap<Candidate>()

    init(_ texts: some Sequence<String>, first: Int, _ alphabet: [Unicode.Scalar]) {
        var found: [[UInt8]: Int] = [:]
        for text in texts {
            for word in WordSplitter.words(text) {
                var view = String.UnicodeScalarView()
                view.append(contentsOf: word)
                found[Array(String(view).utf8), default: 0] += 1
            }
        }
        let tokens = ByteAlphabet.characters.map { first + alphabet.firstIndex(of: $0)! }
        for (word, frequency) in found {
            let place = words.count
            words.append(word.map { tokens[Int($0)] })
            frequencies.append(frequency)
            for pair in pairs(place) { add(frequency, to: pair, place) }
        }
        for (pair, count) in counts { heap.push(Candidate(pair: pair, count: count)) }
    }

    private func pairs(_ place: Int) -> [Pair] {
        let word = words[place]
        return word.indices.dropLast().map { Pair(left: word[$0], right: word[$0 + 1]) }
    }

    private mutating func add(_ count: Int, to pair: Pair, _ place: Int) {
        counts[pair, default: 0] += count
        if count > 0 { places[pair, default: []].insert(place) }
    }

    mutating func mostFrequent() -> Pair? {
        while let top = heap.pop() {
            let count = counts[top.pair] ?? 0
            if count == top.count && count > 0 { return top.pair }
            if count > 0 { heap.push(Candidate(pair: top.pair, count: count)) }
        }
        return nil
    }

    mutating func merge(_ pair: Pair, into token: Int) {
        var changed: Set<Pair> = []
        for place in places.removeValue(forKey: pair) ?? [] {
            let frequency = frequencies[place]
            for old in pairs(place) { add(-frequency, to: old, place) }
            var merged: [Int] = []
            for symbol in words[place] {
                // A token that was just merged pairs with nothing of this word again.
                if symbol == pair.right, merged.last == pair.left, pair.left != token { merged[merged.count - 1] = token } else {
                    merged.append(symbol)
                }
            }
            words[place] = merged
            for new in pairs(place) {
                add(frequency, to: new, place)
                changed.insert(new)
            }
        }
        counts[pair] = nil
        for pair in changed where counts[pair] ?? 0 > 0 { heap.push(Candidate(pair: pair, count: counts[pair]!)) }
    }
}
