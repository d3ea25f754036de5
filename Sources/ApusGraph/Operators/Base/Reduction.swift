import CKernels
import CModelFormat

/// What sets a reduction apart from its family; one file of this folder each.
public struct ReductionRule: Sendable {
    let name: String
    let code: Apus__Node__OperatorCase
    /// The kernel's operation.
    let operation: ck_reduce_op
    /// The types x may have.
    let dtypes: DTypes
    /// Reduces all axes between the first and the last, without attributes.
    let isGlobalPool: Bool
    #if !APUS_INFERENCE
    /// The gradient of x, for the axes reduced.
    let gradient: @Sendable (Gradient, Axes) throws(ApusError) -> Value
    #endif

    init(
        _ name: String, _ code: Apus__Node__OperatorCase, _ operation: ck_reduce_op, _ dtypes: DTypes,
        isGlobalPool: Bool = false, gradient: @escaping @Sendable (Gradient, Axes) throws(ApusError) -> Value
    ) {
        self.name = name
        self.code = code
        self.operation = operation
        self.dtypes = dtypes
        self.isGlobalPool = isGlobalPool
        #if !APUS_INFERENCE
        self.gradient = gradient
        #endif
    }
}

/// The reductions: y = reduce(x) over a set of axes, which disappear or, if `keepDimensions`, become 1; for a global pool
/// of x [N, …, C], of rank 3 or more, all axes between the first and the last, which disappear.
///
/// Input: x of one of the rule's types. Output: y of x's type.
public final class Reduction: Operator {
    public let rule: ReductionRule
    let attributes: Axes

    public var axes: [Int] { attributes.list }
    public var keepDimensions: Bool { attributes.keepDimensions }

    /// No axes: all of them. A global pool has its own.
    public convenience init(_ rule: ReductionRule, axes: [Int] = [], keepDimensions: Bool = false) {
        self.init(rule, Axes(axes, keepDimensions: keepDimensions))
    }

    init(_ rule: ReductionRule, _ attributes: Axes) {
        self.rule = rule
        self.attributes = attributes
    }

    public override var entry: OperatorEntry { .reduction(rule) }

    // MARK: Wire

    /// Every member of the node's union is one pointer.
    static func read(_ rule: ReductionRule, _ node: Apus__Node) throws(ApusError) -> Reduction {
        Reduction(rule, rule.isGlobalPool ? Axes([]) : try Axes(wire: node.reduce_sum))
    }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        if rule.isGlobalPool {
            super.encode(to: &node, wire)
        } else {
            node.reduce_sum = attributes.encoded(wire)
        }
    }

    // MARK: Shape rule

    /// The reduced axes of a shape as bits.
    private func mask(_ shape: Shape) throws(ApusError) -> UInt32 {
        guard rule.isGlobalPool else { return try attributes.mask(shape) }
        guard shape.rank >= 3 else { throw .shape("x \(shape) of rank \(shape.rank), wanted 3 or more") }
        return shape.allAxes & ~1 & ~(1 << UInt32(shape.rank - 1))
    }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0]
        try x.require("x", oneOf: rule.dtypes)
        return [TensorType(x.dtype, x.shape.reduced(try mask(x.shape), keep: keepDimensions))]
    }

    // MARK: Kernel choice

    /// The mean of an image is the mean of those of its lines: threads part lines, as they do where images are computed and
    /// where they are read again.
    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let type = site.inputs[0], x = type.shape, axes = try mask(x), operation = rule.operation
        guard operation == CK_REDUCE_MEAN, x.rank > 2, axes >> UInt32(x.rank - 3) == 0b011 else {
            return KernelPlan(
                [try site.reduction(operation, of: x, axes: axes, .input(0), .output(0))], operations: x.count)
        }
        let inner = UInt32(1) << UInt32(x.rank - 2)
        let lines = TensorType(type.dtype, x.reduced(inner, keep: false))
        return KernelPlan(
            [
                try site.reduction(operation, of: x, axes: inner, .input(0), .workspace(0)),
                try site.reduction(operation, of: lines.shape, axes: axes & ~inner, .workspace(0), .output(0)),
            ], workspaceBytes: lines.byteSize, operations: x.count)
    }

    // MARK: Gradient

    #if !APUS_INFERENCE
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        [try rule.gradient(g, rule.isGlobalPool ? Axes([Int](1..<g.x.shape.rank - 1)) : attributes)]
    }
    #endif
}

extension OperatorEntry {
    static func reduction(_ rule: ReductionRule) -> OperatorEntry {
        OperatorEntry(rule.name, rule.code, .reduction(rule))
    }
}

extension Gradient {
    /// A reduced value spread over x again.
    func spread(_ value: Value, _ axes: Axes) throws(ApusError) -> Value {
        try self(ExpandLike(axes: axes.list, keepDimensions: axes.keepDimensions), value, x)
    }

    /// The gradient of a reduction to an extreme: dy goes to the elements that attain it, in equal parts.
    func extreme(_ axes: Axes) throws(ApusError) -> Value {
        let hit = try self(Cast(x.type.dtype), try self(.equal, x, try spread(y, axes)))
        return try self(.mul, hit, try spread(try self(.div, try dy(), try self(Reduction(.sum, axes), hit)), axes))
    }

    /// The gradient of a mean: dy, divided by how many elements share it, goes to all of them.
    func mean(_ axes: Axes) throws(ApusError) -> Value {
        try spread(try self(.div, try dy(), try self(BatchCount(axes: axes.list), x)), axes)
    }
}
