import ApusGraph

/// Zeros around images [batch, height, width, channels].
public final class ZeroPadding2D: Layer {
    public let margins: Margins

    public init(_ margins: Margins = 1, name: String = "") {
        self.margins = margins
        super.init(name: name)
    }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try image(inputs)
        guard margins.areValid else { throw .argument("negative padding \(margins)") }
        let op = ApusGraph.Pad(
            before: [0, margins.top, margins.left, 0], after: [0, margins.bottom, margins.right, 0])
        return [try context(op, x)]
    }
}
