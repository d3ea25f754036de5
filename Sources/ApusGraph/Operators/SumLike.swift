import CKernels
import CModelFormat

/// Sums x over the dimensions along which `like` would be broadcast to it: the gradient of broadcasting.
///
/// Inputs: x; like, whose values are not read and whose shape broadcasts to x's. Output: shaped like `like`.
public final class SumLike: Operator {
    public init() { super.init(inputsRead: 1) }

    // MARK: Wire

    public static let entry = OperatorEntry("SumLike", APUS__NODE__OPERATOR_SUM_LIKE) { _ throws(ApusError) in
        SumLike()
    }
    public override var entry: OperatorEntry { SumLike.entry }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0], like = inputs[1]
        try x.require("x", float: true)
        guard try Shape.broadcast(x.shape, like.shape) == x.shape else {
            throw .shape("like \(like.shape), wanted a shape that broadcasts to \(x.shape)")
        }
        return [TensorType(x.dtype, like.shape)]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape, y = site.outputs[0].shape
        var axes: UInt32 = 0
        for axis in 0..<x.rank {
            let target = axis < x.rank - y.rank ? 1 : y[axis - (x.rank - y.rank)]
            if target != x[axis] { axes |= 1 << UInt32(axis) }
        }
        return KernelPlan(
            [try site.reduction(CK_REDUCE_SUM, of: x, axes: axes, .input(0), .output(0))], operations: x.count)
    }
}

extension KernelSite {
    /// A launch that reduces a contiguous tensor of the site's type over the axes whose bits are set.
    @inline(never)
    func reduction(
        _ operation: ck_reduce_op, of shape: Shape, axes: UInt32, _ from: KernelOperand, _ to: KernelOperand
    ) throws(ApusError) -> Launch {
        var sizes = shape.dimensions.map { Int64($0) }
        var axes = axes
        if shape.count == 0 {
            // Products of the other extents may not fit; only the number of outputs matters, each over nothing.
            sizes = [Int64(shape.reduced(axes, keep: false).count), 0]
            axes = 0b10
        }
        var params = sizes.withUnsafeBufferPointer { ck_reduce_over(Int32(sizes.count), $0.baseAddress, axes) }
        return try Launch(ck_reduce(operation, dtype, isa), params, units: ck_reduce_units(&params), [from, to])
    }
}
