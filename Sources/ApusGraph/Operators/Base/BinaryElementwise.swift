import CKernels
import CModelFormat

/// What the operators on two tensors share: y[i] = f(a[i], b[i]), shapes broadcast as NumPy does.
///
/// Inputs: a and b of one type, one of `dtypes`. Output: y, which may be written over an input of its shape.
public class BinaryElementwise: Operator {
    /// The kernel's operation.
    var operation: ck_binary_op { CK_BINARY_ADD }

    /// The types a and b may have.
    var dtypes: [DType] { .numbers }

    /// The type of y for a and b of `dtype`.
    func result(_ dtype: DType) -> DType { dtype }

    /// Arithmetic operations that one element takes.
    var operationsPerElement: Int { 1 }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }

    /// Equal sizes in bytes mean equal shapes where y is of the inputs' type.
    public override func mayOverwrite(input: Int, output: Int) -> Bool { true }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let a = inputs[0], b = inputs[1]
        try a.require("a", oneOf: dtypes)
        try b.require("b")
        guard a.dtype == b.dtype else { throw .shape("a \(a) and b \(b), wanted one type") }
        return [TensorType(result(a.dtype), try Shape.broadcast(a.shape, b.shape))]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let a = site.inputs[0], y = site.outputs[0].shape
        return KernelPlan(
            [try site.binary(operation, a.dtype, a.shape, site.inputs[1].shape, to: y, site.allOperands)],
            operations: operationsPerElement * y.count)
    }
}

/// What the comparisons share: y is of bool, and no gradient flows.
public class Comparison: BinaryElementwise {
    override func result(_ dtype: DType) -> DType { .bool }

    public override func mayOverwrite(input: Int, output: Int) -> Bool { false }

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [nil, nil] }
}

/// What the operators on two truth values share; no gradient flows.
public class Logical: BinaryElementwise {
    override var dtypes: [DType] { [.bool] }

    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [nil, nil] }
}

/// What the choice of one of two numbers shares. The gradient flows to the operand chosen, half to each where they are
/// equal, as in PyTorch.
public class Selection: BinaryElementwise {
    /// Where a is chosen and b differs.
    func chooses(_ g: Gradient, a: Value, over b: Value) throws(ApusError) -> Value {
        throw .unsupported("\(name) has no gradient")
    }

    /// da = dy·s and db = dy − da, with s = 1 where a is chosen, ½ at ties, 0 elsewhere.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        let a = g.inputs[0], b = g.inputs[1], dy = try g.dy()
        let chosen = try g(Cast(dy.type.dtype), try chooses(g, a: a, over: b))
        let share = try g(Where(), try g(Equal(), a, b), try g.scalar(0.5), chosen)
        let da = try g(Mul(), dy, share)
        return [
            g.wanted[0] ? try g.sum(da, like: a) : nil,
            g.wanted[1] ? try g.sum(try g(Sub(), dy, da), like: b) : nil,
        ]
    }
}
