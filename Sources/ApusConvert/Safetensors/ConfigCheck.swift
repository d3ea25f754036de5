import ApusGraph

/// Checks of what config.json says; errors name the file and the key.
struct ConfigCheck {
    private let path: String

    init(_ folder: CheckpointFolder) { path = folder.path("config.json") }

    func require<T: Equatable>(_ key: String, _ value: T, isOneOf known: [T]) throws(ApusError) {
        guard known.contains(value) else {
            let wanted = known.map { "\($0)" }.joined(separator: ", ")
            throw .unsupported("\(path): \(key) '\(value)', wanted \(known.count > 1 ? "one of " : "")\(wanted)")
        }
    }

    private func require(_ key: String, _ value: Int, in range: ClosedRange<Int>) throws(ApusError) -> Int {
        guard range.contains(value) else {
            throw .file("\(path): \(key) \(value), wanted \(range.lowerBound) ... \(range.upperBound)")
        }
        return value
    }

    func extent(_ key: String, _ value: Int) throws(ApusError) -> Int { try require(key, value, in: 1...1 << 24) }

    func layers(_ key: String, _ value: Int) throws(ApusError) -> Int { try require(key, value, in: 1...1 << 10) }

    func heads(_ key: String, _ value: Int, width: Int) throws(ApusError) -> Int {
        let heads = try require(key, value, in: 1...width)
        guard width % heads == 0 else { throw .file("\(path): \(key) \(heads), wanted a divisor of the width \(width)") }
        return heads
    }

    func epsilon(_ key: String, _ value: Float) throws(ApusError) -> Float {
        guard value > 0, value < 1 else { throw .file("\(path): \(key) \(value), wanted 0 < \(key) < 1") }
        return value
    }

    /// By the names of `transformers`.
    func activation(_ key: String, _ name: String) throws(ApusError) -> Activation {
        try require(key, name, isOneOf: ConfigCheck.activations.keys.sorted())
        return ConfigCheck.activations[name]!
    }

    private static let activations: [String: Activation] = [
        "gelu": .gelu, "gelu_new": .geluTanh, "gelu_fast": .geluTanh, "gelu_pytorch_tanh": .geluTanh, "relu": .relu,
        "silu": .silu, "swish": .silu, "tanh": .tanh, "sigmoid": .sigmoid,
    ]
}
