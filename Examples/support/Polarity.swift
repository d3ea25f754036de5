import Apus
import ApusGraph
import Foundation

/// A sentence about a film.
public struct Review: Sendable {
    public let text: String
    public let isPositive: Bool
}

extension DataOptions {
    /// The polarity text (Pang and Lee 2005), shuffled by a seed: nine tenths to train on, and a tenth held out.
    public func polarity(seed: UInt64) throws(ApusError) -> (training: [Review], test: [Review]) {
        var reviews: [Review] = []
        for (name, isPositive) in [("neg", false), ("pos", true)] {
            let path = "\(folder)/text/rt-polarity.\(name)"
            guard let text = try? String(contentsOfFile: path, encoding: .isoLatin1) else {
                throw ApusError(.ioError, "there is no \(path); name the data's folder with --data")
            }
            reviews += text.split(separator: "\n").map { Review(text: String($0), isPositive: isPositive) }
        }
        var random = Philox(seed: seed)
        reviews.shuffle(using: &random)
        let held = reviews.count / 10
        return (Array(reviews.dropLast(held)), Array(reviews.suffix(held)))
    }
}

extension [Review] {
    /// 1 where a sentence praises, else 0, [count, 1].
    public func labels() throws(ApusError) -> Tensor {
        try Tensor(map { $0.isPositive ? Float(1) : 0 }, shape: [count, 1])
    }
}
