import ApusGraph

@testable import Apus

/// Small networks of layers over time, each with most of what a kind of layer can do.
enum SequenceNetworks {
    static let vocabulary = 12, time = 7

    static func all() throws -> [Network] {
        [
            try network("gru", seed: 6) {
                Embedding(vocabulary, 6, maskZero: true)
                Bidirectional(GRU(7, returnSequences: true))
                GRU(6)
            },
            try network("gru-before", seed: 7) {
                Embedding(vocabulary, 6, maskZero: true)
                GRU(7, resetAfter: false, returnSequences: true)
                Bidirectional(GRU(6, resetAfter: false), merge: .sum)
            },
            try network("lstm", seed: 8) {
                Embedding(vocabulary, 6, maskZero: true)
                Bidirectional(LSTM(7, returnSequences: true), merge: .sum)
                LSTM(6)
            },
            try network("rnn", seed: 9) {
                Embedding(vocabulary, 6)
                SimpleRNN(7, returnSequences: true, goBackwards: true)
                Bidirectional(SimpleRNN(6, activation: .relu))
            },
            try network("conv1d", seed: 10) {
                Embedding(vocabulary, 6)
                Conv1D(8, kernel: 3, padding: .causal, dilation: 2, activation: .tanh)
                MaxPool1D(2, stride: 1)
                Conv1D(6, kernel: 3, padding: .same)
                AvgPool1D(2)
                GlobalAvgPool1D()
            },
        ]
    }

    /// Every kind of layer that remembers something in a step.
    static func stream() throws -> Network {
        try Sequential(input: [12, 6], name: "stream", seed: 11) {
            Conv1D(8, kernel: 3, padding: .causal, dilation: 2, activation: .tanh)
            GRU(8, returnSequences: true)
            LSTM(8, returnSequences: true)
            DecoderBlock(TransformerOptions(width: 8, heads: 2))
            Dense(5)
        }
    }

    private static func network(
        _ name: String, seed: UInt64, @LayerBuilder layers: () -> [Layer]
    ) throws -> Network {
        try Sequential(input: [time], dtype: .i32, name: name, seed: seed) {
            layers()
            Dense(5)
        }
    }

    /// Indices of words, the first row whole, the others padded after some.
    static func words(_ shape: [Int], _ random: inout Philox) throws -> Tensor {
        let ids = (0..<shape[0] * shape[1]).map { i in
            let row = i / shape[1], place = i % shape[1], length = row == 0 ? shape[1] : 1 + row * 3 % shape[1]
            return place < length ? Int32(1 + random.next32() % UInt32(vocabulary - 1)) : 0
        }
        return try Tensor(ids, shape: shape)
    }
}
