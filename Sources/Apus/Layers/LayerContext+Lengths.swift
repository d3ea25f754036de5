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

    /// Which steps of sequences of `length` are no padding, bool [batch, length]. `padding` is a mask [batch, length], 0 where
    /// it is, or lengths [batch].
    func present(_ padding: Value, length: Int) throws(ApusError) -> Value {
        let dtype = padding.type.dtype
        guard padding.shape.rank == 1 else {
            return dtype == .bool ? padding : try self(.notEqual, padding, try builder.scalar(0, dtype))
        }
        let places = try table("offsets_\(length)_\(dtype.name)") { () throws(ApusError) in
            dtype == .i32 ? try Tensor((0..<length).map { Int32($0) }) : try Tensor((0..<length).map { Int64($0) })
        }
        return try self(.less, places, try self(ApusGraph.Reshape([0, 1]), padding))
    }
}
