import ApusGraph

extension ModelLibrary {
    /// Dense layers: `hidden` units each with an activation, then `outputs` without one.
    public static func mlp(
        input: Int, hidden: [Int], outputs: Int, activation: Activation = .relu, seed: UInt64 = 0
    ) throws(ApusError) -> Network {
        try Sequential(input: [input], name: "mlp", seed: seed) {
            for units in hidden { Dense(units, activation: activation) }
            Dense(outputs)
        }
    }
}
