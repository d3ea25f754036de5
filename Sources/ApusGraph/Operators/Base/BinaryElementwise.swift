import CKernels
import CModelFormat

/// What sets an operator on two tensors apart from its family; one file of this folder each.
public struct BinaryRule: Sendable {
    let name: String
    let code: Apus__Node__OperatorCase
    /// The kernel's operation.
    let operation: ck_binary_op
    /// The types a and b may have.
    let dtypes: DTypes
    /// Whether y is of bool, whatever a and b are.
    let isComparison: Bool
    /// Arithmetic operations that one element takes.
    let operations: Int
    #if !APUS_INFERENCE
    let gradient: GradientRule
    #endif

    init(
        _ name: String, _ code: Apus__Node__OperatorCase, _ operation: ck_binary_op, _ dtypes: DTypes = .numbers,
        isComparison: Bool = false, operations: Int = 1, gradient: @escaping GradientRule = { _ in [nil, nil] }
    ) {
        self.name = name
        self.code = code
        self.operation = operation
        self.dtypes = dtypes
        self.isComparison = isComparison
        self.operations = operations
        #if !APUS_INFERENCE
        self.gradient = gradient
        #endif
    }
}

/// The operators on two tensors: y[i] = f(a[i], b[i]), shapes broadcast as NumPy does.
///
/// Inputs: a and b of one type, one of the rule's. Output: y of that type, or of bool, which may be written over an input
/// of its type and shape.
public final class BinaryElementwise: Operator {
    let rule: BinaryRule

    init(_ rule: BinaryRule) { self.rule = rule }

    public override var entry: OperatorEntry { .binary(rule) }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }

    /// Equal sizes in bytes mean equal shapes where y is of the inputs' type.
    public override func mayOverwrite(input: Int, output: Int) -> Bool { !rule.isComparison }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let a = inputs[0], b = inputs[1]
        try a.require("a", oneOf: rule.dtypes)
        try b.require("b")
        guard a.dtype == b.dtype else { throw .shape("a \(a) and b \(b), wanted one type") }
        return [TensorType(rule.isComparison ? .bool : a.dtype, try Shape.broadcast(a.shape, b.shape))]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let a = site.inputs[0], y = site.outputs[0].shape
        return KernelPlan(
            [try site.binary(rule.operation, a.dtype, a.shape, site.inputs[1].shape, to: y, site.allOperands)],
            operations: rule.operations * y.count)
    }

    // MARK: Gradient

    #if !APUS_INFERENCE
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { try rule.gradient(g) }
    #endif
}

extension OperatorEntry {
    static func binary(_ rule: BinaryRule) -> OperatorEntry { OperatorEntry(rule.name, rule.code, .binary(rule)) }
}

extension Gradient {
    /// The gradient of a choice of one of two numbers: da = dy·s and db = dy − da, with s = 1 where `chosen`(a, b), ½ at
    /// ties as in PyTorch, 0 elsewhere.
    func selection(_ chosen: Operator) throws(ApusError) -> [Value?] {
        let a = inputs[0], b = inputs[1], dy = try self.dy()
        let isChosen = try self(Cast(dy.type.dtype), try self(chosen, a, b))
        let da = try self(.mul, dy, try self(Where(), try self(.equal, a, b), try scalar(0.5), isChosen))
        return [
            wanted[0] ? try sum(da, like: a) : nil,
            wanted[1] ? try sum(try self(.sub, dy, da), like: b) : nil,
        ]
    }
}
