import ApusGraph

extension Trainer {
    /// Copies the trained values into the network.
    public func updateNetwork() throws(ApusError) {
        for (index, value) in try parameterValues().enumerated() { network.parameters.set(index, value) }
    }

    /// Copies the network's values into the training states.
    public func updateStates() {
        for (index, state) in program.parameterStates.enumerated() {
            let destination = session.state(state)
            network.parameters.all[index].value.withUnsafeBytes { destination.copyMemory(from: $0) }
        }
    }

    /// Copies of the trained values, in the order of the network's parameters.
    func parameterValues() throws(ApusError) -> [Tensor] {
        var values: [Tensor] = []
        for (index, state) in program.parameterStates.enumerated() {
            let old = network.parameters.all[index].value
            values.append(
                try Tensor(copying: UnsafeRawBufferPointer(session.state(state)), dtype: old.dtype, shape: old.shape))
        }
        return values
    }

    /// Gives the network and training values that `parameterValues` gave.
    func setParameters(_ values: [Tensor]) {
        for (index, value) in values.enumerated() { network.parameters.set(index, value) }
        updateStates()
    }

    /// Every state's bytes.
    func copyStates() -> [[UInt8]] { (0..<session.stateCount).map { [UInt8](session.state($0)) } }

    func setStates(_ copies: [[UInt8]]) {
        for (index, bytes) in copies.enumerated() { session.state(index).copyBytes(from: bytes) }
    }
}
