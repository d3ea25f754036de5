import ApusGraph

/// Each sample in another shape; the batch is kept. One extent may be −1 and takes what is left.
public final class Reshape: Layer {
    public let shape: [Int]

    public init(_ shape: [Int], name: String = "") {
        self.shape = shape
        super.init(name: name)
    }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = try onlyInput(inputs)
        var extents = shape
        // The operator infers from all elements; here a sample's are known.
        if let inferred = shape.firstIndex(of: -1) {
            let known = Shape(shape.map { $0 == -1 ? 1 : $0 }).count
            let sample = x.shape.product(1..<max(1, x.shape.rank))
            guard known > 0, sample % known == 0, shape.lastIndex(of: -1) == inferred else {
                throw .shape("samples \(Array(x.shape.dimensions.dropFirst())) do not reshape to \(shape)")
            }
            extents[inferred] = sample / known
        }
        guard extents.allSatisfy({ $0 > 0 }) else { throw .shape("a shape of \(shape), wanted extents of 1 or more") }
        return [try context(ApusGraph.Reshape([0] + extents), x)]
    }
}
