import ApusGraph

extension LayerContext {
    /// How many elements attention looks back on in a step.
    public var cacheLength: Int { step?.stream.context ?? 0 }
    /// What it keeps them as.
    public var cacheType: DType { step?.stream.cache ?? .f32 }

    /// Whether layers take up what they remembered: in a step, and in training by windows.
    var remembers: Bool { step != nil }

    /// Where layers remember: what the current one does from the run before, zeros after a reset. A stream is one sequence, so in
    /// a step the batch is 1. Every memory that is read is remembered anew.
    public func memory(_ name: String, _ shape: [Int], _ dtype: DType = .f32) throws(ApusError) -> Value {
        try stepMemory().value(memoryName(name), TensorType(dtype, Shape(shape)))
    }

    /// Where layers remember: what `memory` of this name gives in the next run, a node's output.
    public func remember(_ name: String, _ value: Value) throws(ApusError) {
        let memory = try stepMemory(), name = memoryName(name)
        guard memory.isRead(name) else { throw .argument("'\(name)' is remembered and never read") }
        memory.set(name, value)
    }

    /// In a step: how many elements of the stream came before this run's, i64 [].
    public func position() throws(ApusError) -> Value {
        try stepMemory().value(StreamMemory.position, TensorType(.i64, []))
    }

    private func stepMemory() throws(ApusError) -> StepMemory {
        guard let step else { throw .argument("memory of layer '\(currentName)' where none is kept") }
        return step
    }

    /// "layer/name"; "layer/2/name" in the layer's second call.
    private func memoryName(_ name: String) -> String {
        currentCall == 1 ? "\(currentName)/\(name)" : "\(currentName)/\(currentCall)/\(name)"
    }
}
