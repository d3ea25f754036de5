import ApusGraph

extension Network {
    /// Per input the rows of the smallest table of an `Embedding` that reads it directly; nil where none does.
    static func vocabularies(_ inputs: [SymbolicTensor], _ calls: [LayerCall]) -> [Int?] {
        inputs.map { input in
            calls.compactMap { call in
                guard let embedding = call.layer as? Embedding, call.inputs.contains(where: { $0.call === input.call }) else {
                    return nil
                }
                return embedding.vocabulary
            }.min()
        }
    }

    /// Throws where an input, in the network's order, holds an index i that an `Embedding` has no row for: wanted is
    /// −vocabulary ≤ i < vocabulary, negative ones counting from the table's end.
    ///
    /// - Parameter samples: what the rows are called, to name one.
    func checkIndices(_ inputs: some Sequence<Tensor>, samples: some RandomAccessCollection<Int>) throws(ApusError) {
        for (place, input) in inputs.enumerated() where place < vocabularies.count {
            guard let vocabulary = vocabularies[place] else { continue }
            switch input.dtype {
            case .i32: try check(input, of: Int32.self, place, vocabulary, samples)
            case .i64: try check(input, of: Int64.self, place, vocabulary, samples)
            default: break
            }
        }
    }

    private func check<Index: TensorScalar & BinaryInteger>(
        _ input: Tensor, of type: Index.Type, _ place: Int, _ vocabulary: Int, _ samples: some RandomAccessCollection<Int>
    ) throws(ApusError) {
        guard input.shape.first == samples.count, !samples.isEmpty else { return }
        try input.withUnsafeScalars(of: type) { indices throws(ApusError) in
            guard let found = indices.firstIndex(where: { $0 < -vocabulary || $0 >= vocabulary }) else { return }
            let sample = samples[samples.index(samples.startIndex, offsetBy: found / (input.count / samples.count))]
            throw .argument(
                "index \(indices[found]) of sample \(sample) in input '\(inputNames[place])', "
                    + "wanted \(-vocabulary) ... \(vocabulary - 1)")
        }
    }
}
