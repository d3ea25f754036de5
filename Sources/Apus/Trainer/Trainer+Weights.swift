import ApusGraph

extension Trainer {
    /// Copies the trained values into the network: the averages, where weights are averaged.
    public func updateNetwork() throws(ApusError) {
        for (index, value) in try parameterValues().enumerated() { network.parameters.set(index, value) }
        valuesAgree()
    }

    /// Copies the network's values into the training states, those of averages too.
    public func updateStates() {
        for index in program.parameterStates.indices { updateState(index) }
        valuesAgree()
    }

    /// The network and the states have the same values.
    private func valuesAgree() {
        revisions = network.parameters.all.map { $0.revision }
        changes = network.parameters.changes
    }

    /// Copies those values that the network was given by others since the trainer last took or gave them.
    func takeNewValues() throws(ApusError) {
        guard changes != network.parameters.changes else { return }
        let all = network.parameters.all
        guard all.map({ $0.isTrainable }) == trained else {
            throw .argument("other weights are to be trained than when the trainer was made: make another")
        }
        for index in program.parameterStates.indices where all[index].revision != revisions[index] {
            updateState(index)
            revisions[index] = all[index].revision
        }
        changes = network.parameters.changes
    }

    private func updateState(_ index: Int) {
        for state in Set([program.parameterStates[index], program.predictionStates[index]]) {
            network.parameters.all[index].value.withUnsafeBytes { session.state(state).copyMemory(from: $0) }
        }
    }

    /// Copies of the values that predict, in the order of the network's parameters.
    func parameterValues() throws(ApusError) -> [Tensor] {
        var values: [Tensor] = []
        for (index, state) in program.predictionStates.enumerated() {
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
