import ApusGraph

/// The arithmetic of Docs/Quantization.md, in Float where it says binary32.
enum CodeReference {
    /// Section 1: v in units of the scale as a code; NaN is the least.
    static func quantize(_ v: Float, _ to: CodeScale, _ bounds: CodeBounds = CodeBounds()) -> Double {
        let low = Float(bounds.minimum - Int(to.zeroPoint)), high = Float(bounds.maximum - Int(to.zeroPoint))
        let clamped = v > low ? min(v, high) : low
        return Double(clamped.rounded(.toNearestOrEven)) + Double(to.zeroPoint)
    }

    /// A tensor's elements minus its zero point, and its scale.
    static func centred(_ x: TestTensor) -> (values: [Int], scale: Float) {
        let zero = Int(x.quantization!.zeroPoints.first ?? 0)
        return (x.values.map { Int($0) - zero }, x.quantization!.scales[0])
    }

    /// Section 4 from the sums acc − c on.
    static func product(
        _ sums: [Int], _ shape: [Int], _ inputs: [TestTensor], _ to: CodeScale?, _ bounds: CodeBounds
    ) -> [TestTensor] {
        let n = shape.last!
        let reals = sums.indices.map { i -> Float in
            let acc = Int32(truncatingIfNeeded: sums[i] + Int(inputs[2].values[i % n]))
            return Float(acc) * Float(inputs[3].values[i % n])
        }
        guard let to else { return [TestTensor(.f32, shape, reals.map { Double($0) })] }
        let residual = inputs.count > 4 ? centred(inputs[4]) : nil
        let codes = reals.indices.map { i -> Double in
            guard let residual else { return quantize(reals[i], to, bounds) }
            let add = Float(residual.values[i]) * (residual.scale / to.scale)
            return quantize(reals[i] + add, to, bounds)
        }
        return [TestTensor(.i8, shape, codes)]
    }
}
