import ApusGraph
import ApusRuntime

extension Session {
    /// Sets an input from a tensor of its type and shape.
    public func set(function: Int = 0, input index: Int, _ tensor: Tensor) throws(ApusError) {
        let wanted = try type(.input, function: function, index)
        let name = model.graph.functions[function].inputs[index].name
        guard tensor.dtype == wanted.dtype, tensor.shape == wanted.shape.dimensions else {
            throw .shape("'\(name)' given as \(tensor), wanted \(wanted)")
        }
        let address = try address(.input, function: function, index)
        tensor.withUnsafeBytes { if let base = $0.baseAddress { address.copyMemory(from: base, byteCount: $0.count) } }
        try markSet(function: function, input: index)
    }

    /// A copy of an output.
    public func tensor(function: Int = 0, output index: Int) throws(ApusError) -> Tensor {
        let type = try type(.output, function: function, index)
        let address = try address(.output, function: function, index)
        return try Tensor(
            copying: UnsafeRawBufferPointer(start: address, count: type.byteSize), dtype: type.dtype,
            shape: type.shape.dimensions)
    }
}
