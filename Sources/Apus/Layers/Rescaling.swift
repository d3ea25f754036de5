import ApusGraph

/// y = x·scale + offset, such as 1/255 for bytes; of integers in f32.
public final class Rescaling: Layer {
    public let scale: Double
    public let offset: Double

    public init(_ scale: Double, offset: Double = 0, name: String = "") {
        self.scale = scale
        self.offset = offset
        super.init(name: name)
    }

    public override var runsStepByStep: Bool { true }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        var x = try onlyInput(inputs)
        guard scale.isFinite && offset.isFinite else {
            throw .argument("scale \(scale) and offset \(offset), wanted finite ones")
        }
        if !x.type.dtype.isFloat { x = try context(Cast(.f32), x) }
        let scaled = try context(.mul, x, try context.builder.scalar(scale, x.type.dtype))
        guard offset != 0 else { return [scaled] }
        return [try context(.add, scaled, try context.builder.scalar(offset, x.type.dtype))]
    }
}
