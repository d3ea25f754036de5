/// What gradient rules are written with.
extension Gradient {
    /// Sums `gradient` over the dimensions along which `input` was broadcast.
    func sum(_ gradient: Value, like input: Value) throws(ApusError) -> Value {
        gradient.shape == input.shape ? gradient : try self(SumLike(), gradient, input)
    }

    /// A scalar of the type of the gradient at output 0.
    func scalar(_ value: Double) throws(ApusError) -> Value { try builder.scalar(value, try dy().type.dtype) }
}

extension GraphBuilder {
    /// A constant of rank 0; equal ones share their bytes.
    public func scalar(_ value: Double, _ dtype: DType) throws(ApusError) -> Value {
        guard let bits = dtype.bits(of: value) else { throw ApusError.argument("a scalar that is no \(dtype.name)") }
        let storage = withUnsafeBytes(of: bits.littleEndian) { HeapStorage($0) }
        let type = TensorType(dtype, [])
        for (i, other) in graph.constants.enumerated()
        where other.type == type && other.bytes.elementsEqual(storage.bytes.prefix(type.byteSize)) {
            return constant(i)
        }
        graph.constants.append(Constant("scalar_\(graph.constants.count)", type, storage))
        return constant(graph.constants.count - 1)
    }
}
