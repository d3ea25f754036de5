import Apus
import ApusGraph

extension Dataset {
    /// The same samples, whose inputs index a table of `vocabulary` entries, as i32.
    ///
    /// - Throws: `.badShape` for inputs that are not integers, `.invalidArgument` for an index outside the table.
    public func tokens(of vocabulary: Int) throws(ApusError) -> Dataset {
        try mapInputs { input throws(ApusError) in
            guard input.tensor.dtype.isInteger else {
                throw .shape("\"\(input.name)\" is \(input.tensor), wanted integers, the indices of tokens")
            }
            if let stray = try input.tensor.converted(to: .i64).firstIndex(outside: 0..<max(0, vocabulary)) {
                let sample = stray.place / (input.tensor.count / count)
                throw .argument("token \(stray.value) of sample \(sample), wanted 0 ... \(vocabulary - 1)")
            }
            return try input.tensor.converted(to: .i32)
        }
    }
}

extension SampleSource {
    /// How many tokens the inputs and the targets of a language model take: one more than the largest.
    ///
    /// - Throws: `.badShape` unless the first target holds an integer for each of the first input's.
    public var languageVocabulary: Int {
        get throws(ApusError) {
            let samples = try rows(Array(0..<count)), (input, target) = (samples.inputs[0].tensor, samples.targets[0].tensor)
            guard input.dtype.isInteger, target.dtype.isInteger, input.shape == target.shape else {
                throw .shape(
                    "\"\(samples.inputs[0].name)\" is \(input) and \"\(samples.targets[0].name)\" \(target), wanted integers of "
                        + "one shape: tokens, and after each the one that follows")
            }
            let largest = max(try input.doubles().max() ?? 0, try target.doubles().max() ?? 0)
            guard largest < 1e9 else { throw .argument("token \(Int(largest)), wanted less than 1000000000") }
            return Int(largest) + 1
        }
    }
}
