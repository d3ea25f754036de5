import CKernels
import CModelFormat

/// What sets an operator on one tensor apart from its family; one file of this folder each.
public struct UnaryRule: Sendable {
    let name: String
    let code: Apus__Node__OperatorCase
    /// The kernel's operation.
    let operation: ck_unary_op
    /// The types x may have.
    let dtypes: DTypes
    /// Arithmetic operations that one element takes.
    let operations: Int
    #if !APUS_INFERENCE
    let gradient: GradientRule
    #endif

    init(
        _ name: String, _ code: Apus__Node__OperatorCase, _ operation: ck_unary_op, _ dtypes: DTypes = .floats,
        operations: Int = 1, gradient: @escaping GradientRule = { _ in [nil] }
    ) {
        self.name = name
        self.code = code
        self.operation = operation
        self.dtypes = dtypes
        self.operations = operations
        #if !APUS_INFERENCE
        self.gradient = gradient
        #endif
    }
}

/// The operators on one tensor: y[i] = f(x[i]).
///
/// Input: x of one of the rule's types. Output: y, of x's type and shape, which may be written over x.
public final class UnaryElementwise: Operator {
    let rule: UnaryRule

    init(_ rule: UnaryRule) { self.rule = rule }

    public override var entry: OperatorEntry { .unary(rule) }

    // MARK: Shape rule

    public override func mayOverwrite(input: Int, output: Int) -> Bool { true }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try inputs[0].require("x", oneOf: rule.dtypes)
        return [inputs[0]]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0]
        return KernelPlan(
            [try site.unary(rule.operation, x, .input(0), .output(0))], operations: rule.operations * x.shape.count)
    }

    // MARK: Gradient

    #if !APUS_INFERENCE
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { try rule.gradient(g) }
    #endif
}

extension OperatorEntry {
    static func unary(_ rule: UnaryRule) -> OperatorEntry { OperatorEntry(rule.name, rule.code, .unary(rule)) }
}
