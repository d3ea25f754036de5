import ApusGraph

extension Session {
    public enum Edge: Sendable {
        case input, output

        var name: String { self == .input ? "input" : "output" }
    }

    public var functionCount: Int { header.pointee.functionCount }

    /// Whether there is such an input or output; allocates nothing.
    public func has(_ edge: Edge, function: Int, _ index: Int) -> Bool {
        guard function >= 0 && function < functionCount else { return false }
        let bound = header.pointee.functions[function]
        return index >= 0 && index < (edge == .input ? bound.inputCount : bound.outputCount)
    }

    /// The concrete type of an input or output at the current dimensions.
    public func type(_ edge: Edge, function: Int, _ index: Int) throws(ApusError) -> TensorType {
        try check(edge, function, index)
        let declared =
            edge == .input
            ? model.graph.functions[function].inputs[index].type : model.graph.functions[function].outputs[index].type
        return try declared.resolved(dimensions)
    }

    /// The address that runs read or write now.
    public func address(_ edge: Edge, function: Int, _ index: Int) throws(ApusError) -> UnsafeMutableRawPointer {
        try check(edge, function, index)
        let bound = header.pointee.functions + function
        let place = bound.pointee.edges[bound.pointee.edge(edge, index)]
        guard let address = bound.pointee.places[place] else { throw .argument("\(edge.name) \(index) has no memory") }
        return address
    }

    /// Counts an input as set.
    public func markSet(function: Int, input: Int) throws(ApusError) {
        try check(.input, function, input)
        let bound = header.pointee.functions + function
        if !bound.pointee.isSet[input] {
            bound.pointee.isSet[input] = true
            bound.pointee.unsetInputs -= 1
        }
    }

    /// The session's own memory of an input holds nothing until it is set.
    private func markUnset(function: Int, input: Int) {
        let bound = header.pointee.functions + function
        if bound.pointee.isSet[input] {
            bound.pointee.isSet[input] = false
            bound.pointee.unsetInputs += 1
        }
    }

    /// Whether runs use the caller's memory for an input or output.
    public func isBound(_ edge: Edge, function: Int, _ index: Int) throws(ApusError) -> Bool {
        try check(edge, function, index)
        let bound = header.pointee.functions[function]
        return bound.boundSizes[bound.edge(edge, index)] >= 0
    }

    /// Copies into the session's own memory; a bound input is the caller's and is refused.
    public func setInput(function: Int = 0, _ index: Int, _ bytes: UnsafeRawBufferPointer) throws(ApusError) {
        try checkSize(.input, function, index, bytes.count, exact: true)
        guard !(try isBound(.input, function: function, index)) else {
            let name = model.graph.functions[function].inputs[index].name
            throw .argument("input '\(name)' is bound to the caller's memory, wanted unbound")
        }
        if let base = bytes.baseAddress {
            try address(.input, function: function, index).copyMemory(from: base, byteCount: bytes.count)
        }
        try markSet(function: function, input: index)
    }

    public func getOutput(function: Int = 0, _ index: Int, _ bytes: UnsafeMutableRawBufferPointer) throws(ApusError) {
        try checkSize(.output, function, index, bytes.count, exact: true)
        let source = try address(.output, function: function, index)
        bytes.baseAddress?.copyMemory(from: source, byteCount: bytes.count)
    }

    /// Uses other memory for an input or output; nil goes back to the session's own.
    public func bind(
        _ edge: Edge, function: Int = 0, _ index: Int, _ memory: UnsafeMutableRawPointer?, size: Int
    ) throws(ApusError) {
        try check(edge, function, index)
        let bound = header.pointee.functions + function
        let slot = bound.pointee.edge(edge, index)
        if let memory {
            try checkSize(edge, function, index, size, exact: false)
            let alignment = max(1, try type(edge, function: function, index).dtype.bitWidth / 8)
            guard Int(bitPattern: memory) % alignment == 0 else {
                throw .argument("\(edge.name) \(index) bound to memory not aligned to \(alignment) bytes")
            }
            bound.pointee.places[bound.pointee.edges[slot]] = memory
            bound.pointee.boundSizes[slot] = size
            if edge == .input { try markSet(function: function, input: index) }
        } else {
            guard bound.pointee.boundSizes[slot] >= 0 else { return }
            bound.pointee.places[bound.pointee.edges[slot]] = bound.pointee.own[slot]
            bound.pointee.boundSizes[slot] = -1
            if edge == .input { markUnset(function: function, input: index) }
        }
        bound.pointee.refreshOperands()
    }

    /// Throws unless every input has been set or bound.
    public func checkReady(function: Int) throws(ApusError) {
        guard function >= 0 && function < functionCount else {
            throw .argument("function \(function), wanted 0 ..< \(functionCount)")
        }
        let bound = header.pointee.functions[function]
        guard bound.unsetInputs > 0 else { return }
        for input in 0..<bound.inputCount where !bound.isSet[input] {
            let name = model.graph.functions[function].inputs[input].name
            throw ApusError(.notReady, "input '\(name)' was not set or bound before run")
        }
    }

    /// The hot path's form of `checkReady`.
    public func isReady(function: Int) -> Bool {
        function >= 0 && function < functionCount && header.pointee.functions[function].unsetInputs == 0
    }

    private func check(_ edge: Edge, _ function: Int, _ index: Int) throws(ApusError) {
        guard function >= 0 && function < functionCount else {
            throw .argument("function \(function), wanted 0 ..< \(functionCount)")
        }
        let bound = header.pointee.functions[function]
        let count = edge == .input ? bound.inputCount : bound.outputCount
        guard index >= 0 && index < count else { throw .argument("\(edge.name) \(index), wanted 0 ..< \(count)") }
    }

    private func checkSize(
        _ edge: Edge, _ function: Int, _ index: Int, _ size: Int, exact: Bool
    ) throws(ApusError) {
        let type = try type(edge, function: function, index)
        guard exact ? size == type.byteSize : size >= type.byteSize else {
            let functions = model.graph.functions[function]
            let name = edge == .input ? functions.inputs[index].name : functions.outputs[index].name
            throw .shape("\(edge.name) '\(name)': \(size) bytes, wanted \(type.byteSize) for \(type)")
        }
    }
}

extension BoundFunction {
    func edge(_ edge: Session.Edge, _ index: Int) -> Int { edge == .input ? index : inputCount + index }
}
