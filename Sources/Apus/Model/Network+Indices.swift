import ApusGraph

extension Network {
    /// Per input the rows of the smallest table of an `Embedding` that reads it, directly or through layers that only give its
    /// elements another shape; nil where none does.
    static func vocabularies(_ inputs: [SymbolicTensor], _ calls: [LayerCall]) -> [Int?] {
        inputs.map { input in
            calls.compactMap { call in
                guard let embedding = call.layer as? Embedding, call.inputs.contains(where: { source(of: $0) === input.call })
                else { return nil }
                return embedding.vocabulary
            }.min()
        }
    }

    /// The call that makes the elements of a tensor.
    private static func source(of tensor: SymbolicTensor) -> LayerCall {
        var call = tensor.call
        while call.layer is Reshape || call.layer is Flatten || call.layer is Permute, let input = call.inputs.first {
            call = input.call
        }
        return call
    }

    /// Throws where an input, in the network's order, holds an index i that an `Embedding` has no row for: wanted is
    /// −vocabulary ≤ i < vocabulary, negative ones counting from the table's end.
    ///
    /// - Parameter samples: what the rows are called, to name one.
    func checkIndices(_ inputs: some Sequence<Tensor>, samples: some RandomAccessCollection<Int>) throws(ApusError) {
        for (place, input) in inputs.enumerated() where place < vocabularies.count {
            guard let vocabulary = vocabularies[place], input.shape.first == samples.count,
                let stray = input.firstIndex(outside: -vocabulary..<vocabulary)
            else { continue }
            let sample = samples[samples.index(samples.startIndex, offsetBy: stray.place / (input.count / samples.count))]
            throw .argument(
                "index \(stray.value) of sample \(sample) in input '\(inputNames[place])', "
                    + "wanted \(-vocabulary) ... \(vocabulary - 1)")
        }
    }
}

extension Tensor {
    /// The first index of i32 or i64 that a range lacks, and its place among all elements; nil where there is none, and of other types.
    public func firstIndex(outside range: Range<Int>) -> (place: Int, value: Int)? {
        func first<Index: TensorScalar & BinaryInteger>(_ type: Index.Type) -> (place: Int, value: Int)? {
            withUnsafeBytes { bytes in
                let indices = bytes.bindMemory(to: type)
                return indices.firstIndex { $0 < range.lowerBound || $0 >= range.upperBound }.map { ($0, Int(indices[$0])) }
            }
        }
        return dtype == .i32 ? first(Int32.self) : dtype == .i64 ? first(Int64.self) : nil
    }
}
