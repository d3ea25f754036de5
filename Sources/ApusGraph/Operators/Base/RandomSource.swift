import CKernels
import CModelFormat

/// Where random numbers come from: they are a pure function of (seed, stream, counter, element), by Philox4x32-10 of
/// Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). Nodes that should differ have
/// different streams; the counter moves from step to step.
public struct RandomSource: Sendable, Equatable {
    public var seed: UInt64
    public var stream: UInt32

    public init(seed: UInt64, stream: UInt32) {
        self.seed = seed
        self.stream = stream
    }

    /// The kernels number elements with 34 bits.
    static let maximumCount = 1 << 34

    func params(_ shape: Shape, rate: Float = 0) -> ck_random_params {
        ck_random_params(count: Int64(shape.count), seed: seed, stream: stream, rate: rate)
    }

    static func requireCounter(_ counter: TensorType) throws(ApusError) {
        try counter.require("counter", exactly: TensorType(.i64, []))
    }

    static func requireCount(_ shape: Shape) throws(ApusError) {
        guard shape.count <= maximumCount else {
            throw .shape("\(shape.count) random numbers, wanted at most \(maximumCount)")
        }
    }
}

/// What the operators that make random numbers share.
///
/// Input: counter, an i64 scalar. Output: y of f32 and the shape given.
public class RandomNumbers: Operator {
    public final let shape: [Int]
    public final let source: RandomSource
    /// The bounds, or mean and standard deviation: y = first + scale·z of the kernel's z.
    final let first, second: Float

    init(_ shape: [Int], _ source: RandomSource, _ first: Float, _ second: Float) {
        self.shape = shape
        self.source = source
        self.first = first
        self.second = second
    }

    /// The kernel and what its numbers are multiplied with.
    var task: (ck_isa) -> ck_task? { { _ in nil } }
    var scale: Float { second }

    // MARK: Wire

    /// The entry of an operator whose message is RandomUniform; every member of the node's union is one pointer.
    static func entry(
        _ name: String, _ code: Apus__Node__OperatorCase,
        _ make: @escaping @Sendable ([Int], RandomSource, Float, Float) -> Operator
    ) -> OperatorEntry {
        OperatorEntry(name, code) { node throws(ApusError) in
            let m = node.random_uniform.pointee
            let shape = try wireList(m.n_shape, m.shape, limit: Shape.maximumRank, "extents")
            return make(shape, RandomSource(seed: m.seed, stream: m.stream), m.low, m.high)
        }
    }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.random_uniform = wire.message(apus__random_uniform__init) {
            $0.n_shape = shape.count
            $0.shape = wire.int32s(shape)
            $0.seed = source.seed
            $0.stream = source.stream
            $0.low = first
            $0.high = second
        }
    }

    // MARK: Shape rule

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try RandomSource.requireCounter(inputs[0])
        guard shape.count <= Shape.maximumRank else {
            throw .shape("\(shape.count) extents, wanted at most \(Shape.maximumRank)")
        }
        guard first.isFinite && scale.isFinite else { throw .shape("bounds that are not finite numbers") }
        let y = TensorType(.f32, Shape(shape))
        try y.check()
        try RandomSource.requireCount(y.shape)
        return [y]
    }

    // MARK: Kernel choice

    /// The workspace holds the scale and the shift where there are any.
    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let y = site.outputs[0], scalar = TensorType(.f32, [])
        var params = source.params(y.shape)
        var launches = [
            try Launch(task(site.isa), params, units: ck_random_units(&params), [.input(0), .output(0)])
        ]
        for (step, (operation, value, identity)) in [(CK_BINARY_MUL, scale, 1), (CK_BINARY_ADD, first, 0)].enumerated()
        where value != Float(identity) {
            let constant = KernelOperand.workspace(64 * step)
            launches.append(try fill(site, scalar, bits: UInt64(value.bitPattern), constant))
            launches.append(
                try site.binary(
                    operation, .f32, y.shape, [], to: y.shape, [.output(0), constant, .output(0)]))
        }
        return KernelPlan(launches, workspaceBytes: 128, operations: 20 * y.shape.count)
    }
}
