import CKernels
import CModelFormat

/// What the operators on one tensor share: y[i] = f(x[i]).
///
/// Input: x of one of `dtypes`. Output: y, of x's type and shape, which may be written over x.
public class UnaryElementwise: Operator {
    /// The kernel's operation.
    var operation: ck_unary_op { CK_UNARY_NEG }

    /// The types x may have.
    var dtypes: [DType] { .floats }

    /// Arithmetic operations that one element takes.
    var operationsPerElement: Int { 1 }

    // MARK: Shape rule

    public override func mayOverwrite(input: Int, output: Int) -> Bool { true }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try inputs[0].require("x", oneOf: dtypes)
        return [inputs[0]]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0]
        return KernelPlan(
            [try site.unary(operation, x, .input(0), .output(0))], operations: operationsPerElement * x.shape.count)
    }
}

extension OperatorEntry {
    /// The entry of an operator without attributes.
    init(_ name: String, _ code: Apus__Node__OperatorCase, _ make: @escaping @Sendable () -> Operator) {
        self.init(name, code) { _ throws(ApusError) in make() }
    }
}
