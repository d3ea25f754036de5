import CKernels
import CModelFormat

/// The moving average of a value's range (Jacob et al. 2018): range + (1 − momentum)·((low, high) − range) with low and high
/// the least and the greatest of 0 and x, or just these where the range was 0 ... 0. What is not a number counts as nothing.
///
/// Inputs: x, f32; range, f32 [2]. Output: the new range [2].
public final class ObserveRange: Operator {
    public let momentum: Float

    public init(momentum: Float = 0.99) { self.momentum = momentum }

    // MARK: Wire

    public static let entry = OperatorEntry("ObserveRange", APUS__NODE__OPERATOR_OBSERVE_RANGE) { node throws(ApusError) in
        ObserveRange(momentum: node.observe_range.pointee.momentum)
    }
    public override var entry: OperatorEntry { ObserveRange.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.observe_range = wire.message(apus__observe_range__init) { $0.momentum = momentum }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }
    public override func mayOverwrite(input: Int, output: Int) -> Bool { input == 1 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        guard momentum >= 0 && momentum <= 1 else { throw .shape("a momentum of \(momentum), wanted 0 ... 1") }
        try inputs[0].require("x", dtype: .f32)
        try inputs[1].require("range", exactly: TensorType(.f32, [2]))
        return [inputs[1]]
    }

    // MARK: Kernel choice

    /// The workspace holds the extremes of each block.
    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let count = site.inputs[0].shape.count
        let params = ck_fake_quantize_params(count: Int64(count), range_scale: 0, momentum: Double(momentum))
        let units = ck_flat_units(params.count), extremes = KernelOperand.workspace(0)
        return KernelPlan(
            [
                try Launch(ck_block_extremes(site.isa), params, units: units, [.input(0), extremes]),
                try Launch(ck_observe_range(), params, units: 1, [extremes, .input(1), .output(0)]),
            ], workspaceBytes: 8 * max(1, units), operations: 2 * count)
    }
}
