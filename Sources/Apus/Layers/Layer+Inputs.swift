import ApusGraph

extension Layer {
    /// The input of a layer that takes one.
    final func onlyInput(_ inputs: [Value]) throws(ApusError) -> Value {
        guard inputs.count == 1 else { throw .argument("\(inputs.count) inputs, wanted 1") }
        return inputs[0]
    }

    /// The same for images [batch, height, width, channels].
    final func image(_ inputs: [Value]) throws(ApusError) -> Value {
        let x = try onlyInput(inputs)
        guard x.shape.rank == 4 else { throw .shape("x \(x.type), wanted [batch, height, width, channels]") }
        return x
    }

    /// Checks a size that becomes an extent of a weight: small enough that products of two stay integers.
    final func require(_ size: Int, _ what: String) throws(ApusError) {
        guard size > 0 else { throw .argument("\(size) \(what), wanted 1 or more") }
        guard size <= Int(Int32.max) else { throw .argument("\(size) \(what), wanted at most \(Int32.max)") }
    }

    /// Checks the size of a kernel, which becomes the shape of a weight.
    final func require(_ kernel: Size2D) throws(ApusError) {
        guard kernel.height > 0 && kernel.width > 0 else {
            throw .argument("a kernel of \(kernel.height) × \(kernel.width), wanted 1 × 1 or more")
        }
    }
}
