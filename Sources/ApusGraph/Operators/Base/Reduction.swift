import CKernels
import CModelFormat

/// What the reductions share: y = reduce(x) over a set of axes, which disappear or, if `keepDimensions`, become 1.
///
/// Input: x, f32, f64, i32 or i64. Output: y of x's type.
public class Reduction: Operator {
    let attributes: Axes

    public final var axes: [Int] { attributes.list }
    public final var keepDimensions: Bool { attributes.keepDimensions }

    /// No axes: all of them.
    public init(axes: [Int] = [], keepDimensions: Bool = false) {
        attributes = Axes(axes, keepDimensions: keepDimensions)
    }

    /// The kernel's operation.
    var operation: ck_reduce_op { CK_REDUCE_SUM }

    /// Whether integers can be reduced.
    var takesIntegers: Bool { true }

    // MARK: Wire

    /// The entry of an operator whose message is Reduce; every member of the node's union is one pointer.
    static func entry(
        _ name: String, _ code: Apus__Node__OperatorCase,
        _ make: @escaping @Sendable (_ axes: [Int], _ keepDimensions: Bool) -> Operator
    ) -> OperatorEntry {
        OperatorEntry(name, code) { node throws(ApusError) in
            let attributes = try Axes(wire: node.reduce_sum)
            return make(attributes.list, attributes.keepDimensions)
        }
    }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.reduce_sum = attributes.encoded(wire)
    }

    // MARK: Shape rule

    /// The reduced axes of a shape as bits.
    func mask(_ shape: Shape) throws(ApusError) -> UInt32 { try attributes.mask(shape) }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0]
        try x.require("x")
        let isInteger = takesIntegers && (x.dtype == .i32 || x.dtype == .i64)
        guard isInteger || x.dtype == .f32 || x.dtype == .f64 else {
            throw .shape("x of type \(x.dtype.name), wanted f32\(takesIntegers ? ", f64, i32 or i64" : " or f64")")
        }
        return [TensorType(x.dtype, x.shape.reduced(try mask(x.shape), keep: keepDimensions))]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape
        var params = reduction(of: x, axes: try mask(x))
        return try KernelPlan(
            ck_reduce(operation, site.dtype, site.isa), params, units: ck_reduce_units(&params), at: site,
            operations: x.count)
    }

    // MARK: Gradient

    /// The gradient of a reduction to an extreme: dy goes to the elements that attain it, in equal parts.
    final func extremeGradient(_ g: Gradient, over axes: Axes) throws(ApusError) -> Value {
        let undo = ExpandLike(axes: axes.list, keepDimensions: axes.keepDimensions)
        let sum = ReduceSum(axes: axes.list, keepDimensions: axes.keepDimensions)
        let hit = try g(Cast(g.x.type.dtype), g(Equal(), g.x, g(undo, g.y, g.x)))
        return try g(Mul(), hit, g(undo, g(Div(), g.dy(), g(sum, hit)), g.x))
    }

    /// The gradient of a mean: dy, divided by how many elements share it, goes to all of them.
    final func meanGradient(_ g: Gradient, over axes: Axes) throws(ApusError) -> Value {
        let share = try g(Div(), g.dy(), g(BatchCount(axes: axes.list), g.x))
        return try g(ExpandLike(axes: axes.list, keepDimensions: axes.keepDimensions), share, g.x)
    }
}
