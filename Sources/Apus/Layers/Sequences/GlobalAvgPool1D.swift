import ApusGraph

/// The mean of each channel over the steps of a sequence: [batch, time, channels] becomes [batch, channels].
///
/// A second input says which steps are padding and do not count: a mask [batch, time], 0 where one is, or lengths [batch], i32 or
/// i64; without it, lengths that a layer before, such as a masked `Embedding`, said the sequence has. A sequence of padding
/// alone gives 0.
public final class GlobalAvgPool1D: Layer {
    public override init(name: String = "") { super.init(name: name) }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let given = inputs.count == 2 ? inputs[1] : nil, x = try sequence(given == nil ? inputs : [inputs[0]])
        guard let padding = given ?? context.lengths(of: x) else { return [try context(Reduction(.globalAvgPool), x)] }
        let time = x.shape[1], dtype = padding.type.dtype
        let isMask = padding.shape == [x.shape[0], time]
        let isLengths = padding.shape == [x.shape[0]] && (dtype == .i32 || dtype == .i64)
        guard isMask || isLengths else {
            throw .shape("padding \(padding.type), wanted a mask [\(x.shape[0]), \(time)] or lengths [\(x.shape[0])] of i32 or i64")
        }
        let present = try context(Cast(x.type.dtype), try context.present(padding, length: time))
        let weights = try context(ApusGraph.Reshape([0, time, 1]), present)
        let sum = try context(Reduction(.sum, axes: [1]), try context(.mul, x, weights))
        let count = try context(Reduction(.sum, axes: [1]), weights)
        return [try context(.div, sum, try context(.maximum, count, try context.builder.scalar(1, x.type.dtype)))]
    }
}
