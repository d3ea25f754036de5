import ApusGraph
import Foundation

/// How the next token is drawn from logits. In this order: the penalty on tokens that came already, the temperature, the
/// likeliest `topK`, of those the likeliest that together have `topP`.
public struct Sampling: Sendable, Equatable {
    /// Logits are divided by it; 0 takes the likeliest token, always.
    public var temperature: Double
    /// As many of the likeliest tokens can be drawn; 0: all.
    public var topK: Int
    /// The fewest of the likeliest tokens whose probabilities sum to this can be drawn; 1: all (Holtzman et al. 2020).
    public var topP: Double
    /// A logit l of a token that came already becomes l / penalty above 0 and l · penalty below (Keskar et al. 2019); 1: as it is.
    public var repetitionPenalty: Double
    public var seed: UInt64

    public init(temperature: Double = 1, topK: Int = 0, topP: Double = 1, repetitionPenalty: Double = 1, seed: UInt64 = 0) {
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.repetitionPenalty = repetitionPenalty
        self.seed = seed
    }

    /// The likeliest token, always.
    public static let greedy = Sampling(temperature: 0)

    func check() throws(ApusError) {
        guard temperature >= 0, temperature.isFinite else { throw .argument("temperature \(temperature), wanted 0 or more") }
        guard topK >= 0 else { throw .argument("top-k \(topK), wanted 0 or more") }
        guard topP > 0, topP <= 1 else { throw .argument("top-p \(topP), wanted more than 0 and at most 1") }
        guard repetitionPenalty > 0, repetitionPenalty.isFinite else {
            throw .argument("repetition penalty \(repetitionPenalty), wanted more than 0")
        }
    }
}

/// Draws tokens, one after another, from a seed.
public struct Sampler: Sendable {
    public let sampling: Sampling
    private var random: Philox

    public init(_ sampling: Sampling) throws(ApusError) {
        try sampling.check()
        self.sampling = sampling
        random = Philox(seed: sampling.seed)
    }

    /// The next token after those that `seen` lists. Of equally likely tokens the first counts as likelier. Throws where no
    /// logit is a number.
    public mutating func next(_ logits: [Float], after seen: some Sequence<Int> = []) throws(ApusError) -> Int {
        var scores = logits.map { $0.isNaN ? -Double.infinity : Double($0) }
        if sampling.repetitionPenalty != 1 {
            for token in Set(seen) where scores.indices.contains(token) {
                scores[token] *= scores[token] > 0 ? 1 / sampling.repetitionPenalty : sampling.repetitionPenalty
            }
        }
        guard let most = scores.max(), most.isFinite else {
            throw .argument("logits of \(logits.count) tokens without a largest, wanted finite numbers")
        }
        guard sampling.temperature > 0 else { return scores.firstIndex(of: most)! }
        var candidates = Array(scores.indices)
        if sampling.topK > 0 || sampling.topP < 1 {
            candidates.sort { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
            if sampling.topK > 0 { candidates = Array(candidates.prefix(sampling.topK)) }
        }
        var weights = candidates.map { exp((scores[$0] - most) / sampling.temperature) }
        if sampling.topP < 1 {
            let wanted = sampling.topP * weights.reduce(0, +)
            var sum = 0.0
            let count = weights.firstIndex { weight in
                sum += weight
                return sum >= wanted
            }
            weights = Array(weights.prefix((count ?? weights.count - 1) + 1))
        }
        var rest = Double(random.next() >> 11) * 0x1p-53 * weights.reduce(0, +)
        for (token, weight) in zip(candidates, weights) {
            rest -= weight
            if rest < 0 { return token }
        }
        return candidates[weights.count - 1]
    }
}
