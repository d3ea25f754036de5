import ApusGraph

/// One element of a sequence: x [batch, time, …] → [batch, …]. Of a negative index, counted from the end.
public final class SequenceElement: Layer {
    public let index: Int

    public init(_ index: Int, name: String = "") {
        self.index = index
        super.init(name: name)
    }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try onlyInput(inputs)
        guard x.shape.rank >= 2 else { throw .shape("x \(x.type), wanted [batch, time, …]") }
        let time = x.shape[1], place = index < 0 ? time + index : index
        guard 0..<time ~= place else { throw .argument("element \(index) of \(time), wanted \(-time) ..< \(time)") }
        let element = try context(Slice(axes: [1], starts: [place], ends: [place + 1]), x)
        return [try context(ApusGraph.Reshape([0] + x.shape.dimensions.dropFirst(2)), element)]
    }
}
