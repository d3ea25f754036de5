import Apus

/// A text cut into samples.
enum Stretches {
    /// Stretches of `context` tokens one after another, and the token that follows each of theirs.
    static func dataset(_ tokens: ArraySlice<Int32>, context: Int) throws -> Dataset {
        let starts = Array(stride(from: tokens.startIndex, to: tokens.endIndex - context, by: context))
        func stretches(_ shift: Int) throws -> Tensor {
            try Tensor(starts.flatMap { tokens[$0 + shift..<$0 + shift + context] }, shape: [starts.count, context])
        }
        return try Dataset(
            inputs: [NamedTensor("tokens", try stretches(0))], targets: [NamedTensor("logits", try stretches(1))])
    }
}
