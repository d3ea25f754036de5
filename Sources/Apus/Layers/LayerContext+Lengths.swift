import ApusGraph

extension LayerContext {
    /// How many steps of each sequence of `x` count, integers [batch], where something says so; nil: all of them.
    public func lengths(of x: Value) -> Value? { lengths.first { $0.of == x.operand }?.lengths }

    /// From `lengths` on, the steps of `y`'s sequences are padding.
    public func setLengths(of y: Value, _ lengths: Value) { self.lengths.append((y.operand, lengths)) }

    /// What a layer makes of padded sequences has their lengths, if it treats each step alone or one after the other.
    func passLengths(from inputs: [Value], to outputs: [Value]) {
        guard currentLayer.runsStepByStep, let x = inputs.first, let lengths = lengths(of: x) else { return }
        for y in outputs where y.shape.rank >= 2 && y.shape[1] == x.shape[1] && self.lengths(of: y) == nil {
            setLengths(of: y, lengths)
        }
    }
}
