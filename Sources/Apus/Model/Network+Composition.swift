extension Network {
    /// The network as a part of another: its layers called on other tensors. Called twice, they share their weights.
    ///
    ///     let image = Input([32, 32, 3])
    ///     let scores = try Network(inputs: [image], outputs: [Dense(3)(try features(image))])
    ///
    /// The network built of it begins with the values that the parameters have here then, and trains what is trained here; this
    /// one stays as it is.
    ///
    /// - Throws: `.invalidArgument` for another number of inputs, or a network of several outputs, for which there is `apply`.
    public func callAsFunction(_ inputs: SymbolicTensor...) throws(ApusError) -> SymbolicTensor {
        let results = try apply(inputs)
        guard results.count == 1 else { throw .argument("network '\(name)' of \(results.count) outputs called for one, wanted apply") }
        return results[0]
    }

    /// The same for a network of several outputs.
    public func apply(_ inputs: [SymbolicTensor]) throws(ApusError) -> [SymbolicTensor] {
        guard inputs.count == self.inputs.count else {
            throw .argument("network '\(name)' called with \(inputs.count) inputs, wanted \(self.inputs.count)")
        }
        var given: [ObjectIdentifier: SymbolicTensor] = [:]
        for (own, input) in zip(self.inputs, inputs) { given[ObjectIdentifier(own.call)] = input }
        var made: [ObjectIdentifier: LayerCall] = [:]
        func replaced(_ tensor: SymbolicTensor) -> SymbolicTensor {
            let id = ObjectIdentifier(tensor.call)
            return given[id] ?? SymbolicTensor(call: made[id]!, output: tensor.output)
        }
        for call in calls where !(call.layer is InputLayer) {
            made[ObjectIdentifier(call)] = LayerCall(call.layer, call.inputs.map(replaced), of: self)
        }
        return outputs.map(replaced)
    }

    /// What a layer makes, for another network over the same inputs; of a layer that is called more than once, what it makes last.
    ///
    ///     let features = try Network(inputs: base.inputs, outputs: [try base.output(of: "flatten")])
    ///     try features.parameters.take(from: base.parameters)
    ///
    /// - Throws: `.invalidArgument` for a name that no layer has.
    public func output(of layer: String) throws(ApusError) -> SymbolicTensor {
        guard let call = calls.last(where: { name(of: $0.layer) == layer }) else {
            throw .argument("no layer '\(layer)' in network '\(name)'")
        }
        return SymbolicTensor(call: call, output: 0)
    }

    /// Takes the values of layers that networks brought with them.
    func takeParts() throws(ApusError) {
        var seen: Set<ObjectIdentifier> = []
        for call in calls {
            guard let part = call.network, seen.insert(ObjectIdentifier(call.layer)).inserted else { continue }
            let there = part.name(of: call.layer) + "/", here = name(of: call.layer) + "/"
            for parameter in part.parameters.all where parameter.name.hasPrefix(there) {
                try parameters.take(parameter, as: here + parameter.name.dropFirst(there.count))
            }
        }
    }
}
