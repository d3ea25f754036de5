import CModelFormat

/// Every operator of a file that this library knows.
public let operatorTable = OperatorTable([
    MatMul.entry,
    Dense.entry,
    GlobalMaxPool.entry,
    GlobalAvgPool.entry,
    BatchNorm.entry,
    BatchNormTraining.entry,
    LayerNorm.entry,
    Flatten.entry,
    Reshape.entry,
    Transpose.entry,
    Concat.entry,
    Split.entry,
    Slice.entry,
    Pad.entry,
    ReduceSum.entry,
    ReduceMean.entry,
    ReduceMax.entry,
    ReduceMin.entry,
    ArgMax.entry,
    ArgMin.entry,
    OneHot.entry,
    Gather.entry,
    Expand.entry,
    ReshapeLike.entry,
    SumLike.entry,
    ExpandLike.entry,
    BatchNormGradient.entry,
    LayerNormGradient.entry,
    SliceGradient.entry,
    GatherGradient.entry,
    BatchCount.entry,
    DenseWeightGradient.entry,
])

public struct OperatorTable: Sendable {
    public let entries: [OperatorEntry]

    init(_ entries: [OperatorEntry]) { self.entries = entries }

    /// Reads a node's operator.
    public func decode(_ node: Apus__Node) throws(ApusError) -> Operator {
        for entry in entries where entry.code == node.operator_case { return try entry.decode(node) }
        throw .unsupported("operator \(node.operator_case.rawValue) needs a newer Apus")
    }
}
