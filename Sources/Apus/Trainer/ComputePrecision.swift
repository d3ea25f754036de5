/// What the matrix products of a training step compute in.
public enum ComputePrecision: String, Sendable, CaseIterable, Codable {
    case f32
    /// Mixed precision (Micikevicius et al. 2018): of dense layers, projections and their gradients both operands are rounded to
    /// bf16, 8 bits of mantissa, and the sums are f32. Weights, gradients, optimizer, convolutions, recurrent cells, attention's
    /// scores and all else stay f32, so no scale of the loss is needed. Fast where the processor multiplies bf16 (AMX); where it
    /// does not, products have the same bits and take longer.
    case mixedBF16 = "bf16"
}
