import ApusGraph

/// The axes of each sample in another order. The batch, axis 0, stays: dimension i of the result is axis `axes[i − 1]`.
///
///     Permute(2, 1)  // [batch, time, channels] becomes [batch, channels, time]
public final class Permute: Layer {
    public let axes: [Int]

    public init(_ axes: Int..., name: String = "") {
        self.axes = axes
        super.init(name: name)
    }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try onlyInput(inputs)
        guard axes.sorted() == Array(1..<max(1, x.shape.rank)) else {
            throw .argument("axes \(axes), wanted each of 1 ..< \(x.shape.rank) once")
        }
        return [try context(ApusGraph.Transpose([0] + axes), x)]
    }
}
