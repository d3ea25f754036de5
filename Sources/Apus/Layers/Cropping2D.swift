import ApusGraph

/// Images [batch, height, width, channels] without their margins.
public final class Cropping2D: Layer {
    public let margins: Margins

    public init(_ margins: Margins, name: String = "") {
        self.margins = margins
        super.init(name: name)
    }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try image(inputs)
        guard margins.areValid else { throw .argument("negative cropping \(margins)") }
        let bottom = x.shape[1] - margins.bottom, right = x.shape[2] - margins.right
        guard margins.top < bottom, margins.left < right else {
            throw .argument("cropping \(x.type) by \(margins) leaves nothing")
        }
        let op = ApusGraph.Slice(axes: [1, 2], starts: [margins.top, margins.left], ends: [bottom, right])
        return [try context(op, x)]
    }
}
