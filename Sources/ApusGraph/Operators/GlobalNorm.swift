import CKernels
import CModelFormat

/// y = √Σ x² over all elements of all inputs; Σ is carried in double within an input.
///
/// Inputs: one or more, all f32 or all f64. Output: y, a scalar of their type.
public final class GlobalNorm: Operator {
    public init() {}

    // MARK: Wire

    public static let entry = OperatorEntry("GlobalNorm", APUS__NODE__OPERATOR_GLOBAL_NORM) {
        _ throws(ApusError) in GlobalNorm()
    }
    public override var entry: OperatorEntry { GlobalNorm.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 1...65_536 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        for (i, input) in inputs.enumerated() {
            try input.require("input \(i)", float: true)
            try input.require("input \(i)", dtype: inputs[0].dtype)
        }
        return [TensorType(inputs[0].dtype, [])]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let y = site.outputs[0]
        var launches = [try fill(site, y, bits: 0, .output(0))]
        var operations = 0
        for (i, input) in site.inputs.enumerated() {
            let params = ck_norm_params(count: Int64(input.shape.count), clip: 0)
            launches.append(
                try Launch(
                    ck_sum_squares(site.dtype, site.isa), params, units: 1, [.input(i), .output(0), .output(0)]))
            operations += 2 * input.shape.count
        }
        launches.append(try site.unary(CK_UNARY_SQRT, y, .output(0), .output(0)))
        return KernelPlan(launches, operations: operations)
    }
}
