import ApusGraph

extension ModelLibrary {
    public enum RecurrentCell: String, Sendable {
        case gru, lstm
    }

    /// Embedding 64, two recurrent layers of 64 units, the first over the whole sequence and with dropout 0.1, Dense 64, Dense:
    /// for texts of `length` indices of words, 0 after the end of a shorter one.
    public static func textClassifier(
        vocabulary: Int = 10_000, length: Int, cell: RecurrentCell = .gru, outputs: Int = 1, seed: UInt64 = 0
    ) throws(ApusError) -> Network {
        try Sequential(input: [length], dtype: .i32, output: "logits", name: "text-\(cell.rawValue)", seed: seed) {
            Embedding(vocabulary, 64, maskZero: true)
            switch cell {
            case .gru:
                GRU(64, returnSequences: true, dropout: 0.1)
                GRU(64)
            case .lstm:
                LSTM(64, returnSequences: true, dropout: 0.1)
                LSTM(64)
            }
            Dense(64, activation: .relu)
            Dense(outputs)
        }
    }
}
