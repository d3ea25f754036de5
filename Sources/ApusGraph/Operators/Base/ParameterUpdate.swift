import CKernels

/// What the optimizers share: one step of a parameter against its gradient.
///
/// Inputs: parameter p, f32 or f64; gradient g; the optimizer's slots, all shaped like p; learning rate, an f32 scalar;
/// step t = 1, 2, …, an i64 scalar. Outputs: the new p, then the new slots, each of which may be written over the old.
///
/// `weightDecay` adds weightDecay·p to g, except where an operator says otherwise. The formulas are those of Keras 3; numbers
/// nearer to 0 than the least normal one count as 0 and are written as 0.
public class ParameterUpdate: Operator {
    public final let weightDecay: Float

    init(weightDecay: Float) { self.weightDecay = weightDecay }

    /// The kernel, and its parameters but for the count.
    var kind: ck_optimizer_kind { CK_SGD }
    var attributes: ck_optimizer_params { ck_optimizer_params() }
    /// Whether the kernel sees to the decay.
    var kernelDecays: Bool { false }

    /// How many tensors it remembers for each parameter.
    public final var slots: Int {
        var params = attributes
        return Int(ck_optimizer_slots(kind, &params))
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> {
        let count = 4 + slots
        return count...count
    }
    public override var outputCount: Int { 1 + slots }

    public override func mayOverwrite(input: Int, output: Int) -> Bool {
        output == 0 ? input == 0 : input == output + 1
    }

    /// The rules for the attributes of one optimizer.
    func checkAttributes() throws(ApusError) {}

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try checkAttributes()
        guard weightDecay >= 0 && weightDecay.isFinite else {
            throw .shape("a weight decay that is negative or not finite")
        }
        let p = inputs[0]
        try p.require("parameter", float: true)
        try inputs[1].require("gradient", exactly: p)
        for slot in 0..<slots { try inputs[2 + slot].require("slot \(slot)", exactly: p) }
        try inputs[2 + slots].require("learning rate", exactly: TensorType(.f32, []))
        try inputs[3 + slots].require("step", exactly: TensorType(.i64, []))
        return [TensorType](repeating: p, count: 1 + slots)
    }

    /// A factor of exponential averages.
    static func requireFactor(_ what: String, _ factor: Float) throws(ApusError) {
        guard factor >= 0 && factor < 1 else { throw .shape("a \(what) outside 0 ..< 1") }
    }

    // MARK: Kernel choice

    /// Decay that the kernel does not do itself is added to g in the workspace, behind its factor.
    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let p = site.inputs[0]
        var params = attributes
        params.count = Int64(p.shape.count)
        var operands = site.allOperands
        var launches: [Launch] = []
        var workspace = 0
        if weightDecay != 0 && !kernelDecays {
            let factor = KernelOperand.workspace(0), sum = KernelOperand.workspace(64)
            let scalar = TensorType(p.dtype, [])
            let bits = p.dtype.bits(of: Double(weightDecay)) ?? 0
            launches.append(try fill(site, scalar, bits: bits, factor))
            launches.append(
                try site.binary(CK_BINARY_MUL, p.dtype, p.shape, [], to: p.shape, [.input(0), factor, sum]))
            launches.append(
                try site.binary(CK_BINARY_ADD, p.dtype, p.shape, p.shape, to: p.shape, [.input(1), sum, sum]))
            operands[1] = sum
            workspace = 64 + p.byteSize
        }
        launches.append(
            try Launch(
                ck_optimizer(kind, site.dtype, site.isa), params, units: ck_optimizer_units(&params), operands))
        return KernelPlan(launches, workspaceBytes: workspace, operations: 16 * p.shape.count)
    }
}
