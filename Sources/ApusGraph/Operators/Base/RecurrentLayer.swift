import CKernels
import CModelFormat

/// A cell that goes over time, from what the inputs give every step at once, x = input·W + b: RNN, GRU, LSTM.
///
/// Inputs, G the number of gates:
/// - x [batch, time, G·hidden], or [time, batch, G·hidden] if `timeMajor`; f32 or f64
/// - R [G, hidden, hidden], plain or in panels: the state's part of gate g is h·R[g]; in its place integer weights
///   [hidden, G·hidden], the gates side by side, and what belongs to them, if `stateProduct` has them (f32 alone, no training)
/// - b [hidden], of a GRU with `resetAfter` only
/// - if `hasLengths`, lengths [batch], i32 or i64: from there on y is 0 and the state stays
/// - if `hasInitialState`, h [batch, hidden], and for LSTM c; else they start as zeros
/// - if `hasStateMask`, in training, m [batch, hidden]: products take m·h for h
///
/// Outputs: y [batch, time, hidden], or time first; the last h [batch, hidden], and for LSTM c; if `keepsGates`, what the
/// gradient reads, K·hidden for every step in the place of y's: RNN x + h·R; GRU r, z, n and with `resetAfter` h·R_n + b; LSTM
/// i, f, g, o and c; zeros from a sequence's length on.
public class RecurrentLayer: Operator {
    /// From the last step to the first; y stays in the order of x.
    public let reverse: Bool
    public let timeMajor: Bool
    public let hasLengths: Bool
    public let hasInitialState: Bool
    /// Training, which has a gradient.
    public let keepsGates: Bool
    public let hasStateMask: Bool
    public let stateProduct: StateProduct

    init(
        reverse: Bool, timeMajor: Bool, hasLengths: Bool, hasInitialState: Bool, keepsGates: Bool, hasStateMask: Bool,
        stateProduct: StateProduct
    ) {
        self.reverse = reverse
        self.timeMajor = timeMajor
        self.hasLengths = hasLengths
        self.hasInitialState = hasInitialState
        self.keepsGates = keepsGates
        self.hasStateMask = hasStateMask
        self.stateProduct = stateProduct
    }

    // What the cells differ in.

    var cell: ck_cell { CK_CELLS }
    public var resetAfter: Bool { false }
    public var activation: Activation { .tanh }

    var gates: Int { Int(ck_recurrent_gates(Int32(cell.rawValue))) }
    /// h, and for LSTM c.
    public var stateCount: Int { cell == CK_LSTM ? 2 : 1 }
    /// K, how many times `hidden` elements a step keeps.
    var keptWidth: Int { Int(ck_recurrent_kept(Int32(cell.rawValue), resetAfter ? 1 : 0)) }

    // MARK: Wire

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) { node.lstm = encoded(wire) }

    func encoded(_ wire: WireArena) -> UnsafeMutablePointer<Apus__Recurrent> {
        wire.message(apus__recurrent__init) {
            $0.reverse = reverse ? 1 : 0
            $0.time_major = timeMajor ? 1 : 0
            $0.has_lengths = hasLengths ? 1 : 0
            $0.has_initial_state = hasInitialState ? 1 : 0
            $0.reset_after = resetAfter ? 1 : 0
            $0.has_state_mask = hasStateMask ? 1 : 0
            $0.activation = cell == CK_RNN ? activation.encoded(wire) : nil
            stateProduct.encode(to: &$0, wire)
        }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> {
        let states = hasInitialState ? stateCount : 0
        let count = afterProduct + (resetAfter ? 1 : 0) + (hasLengths ? 1 : 0) + states + (hasStateMask ? 1 : 0)
        return count...count
    }

    /// The first input after R or what is in its place.
    private var afterProduct: Int { 1 + stateProduct.inputCount }

    public override var outputCount: Int { 1 + stateCount + (keepsGates ? 1 : 0) }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0], r = inputs[1], isReal = stateProduct.op == nil
        try x.require("x", rank: 3, float: true)
        if isReal {
            try r.require("R", rank: 3, layouts: .plainOrPanels)
            try r.requireWeights(for: x)
        }
        let hidden = x.shape[2] / gates
        guard x.shape[2] == gates &* hidden, !isReal || r.shape == [gates, hidden, hidden] else {
            throw .shape("x \(x) and R \(r), wanted \(gates) gates: [..., \(gates)·hidden] and [\(gates), hidden, hidden]")
        }
        let batch = x.shape[timeMajor ? 1 : 0]
        let state = TensorType(x.dtype, [batch, hidden])
        var next = afterProduct
        try stateProduct.check(Array(inputs[1..<next]), state: state, width: x.shape[2], activation: activation)
        guard isReal || !keepsGates else { throw .shape("integer weights in training, wanted real ones") }
        if resetAfter {
            try inputs[next].require("b", exactly: TensorType(x.dtype, [hidden]))
            next += 1
        }
        if hasLengths {
            try inputs[next].requireIndices("lengths")
            try inputs[next].require("lengths", exactly: TensorType(inputs[next].dtype, [batch]))
            next += 1
        }
        if hasInitialState {
            for i in 0..<stateCount { try inputs[next + i].require(i == 0 ? "h" : "c", exactly: state) }
            next += stateCount
        }
        if hasStateMask {
            guard keepsGates else { throw .shape("a mask of the state in inference, wanted none") }
            try inputs[next].require("m", exactly: state)
        }
        var outputs = [TensorType(x.dtype, x.shape.replacing(2, with: hidden))]
        for _ in 0..<stateCount { outputs.append(state) }
        if keepsGates { outputs.append(TensorType(x.dtype, x.shape.replacing(2, with: keptWidth &* hidden))) }
        return outputs
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let hidden = site.outputs[0].shape[2], r = site.inputs[1], bytes = r.dtype.bitWidth / 8
        var params = self.params(site, y: site.outputs[0].shape, product: r.dtype.ck)
        params.length_dtype = hasLengths ? Int32(site.inputs[afterProduct + (resetAfter ? 1 : 0)].dtype.rawValue) : 0
        stateProduct.set(&params, site)
        params.keeps = keepsGates ? 1 : 0
        var operands = site.allOperands
        var launches: [Launch] = []
        var workspace = (ck_recurrent_workspace(&params, site.dtype, Int32(site.lanes)) + 63) / 64 * 64
        operands.append(.workspace(0))
        if r.layout == .plain {
            operands[1] = .workspace(workspace)
            if stateProduct.op == nil {
                launches.append(try packed(1, r.shape, site, at: workspace))
                workspace += Int(ck_panels_size(Int64(hidden), Int64(hidden))) * gates * bytes
            } else {
                launches.append(try stateProduct.packed(r, at: workspace))
                workspace += TensorType(r.dtype, r.shape, layout: .panels4).byteSize
            }
        }
        let task = stateProduct.op == nil ? ck_recurrent(site.dtype, site.isa) : ck_recurrent_codes(site.isa)
        launches.append(try Launch(task, params, units: ck_recurrent_units(&params), operands))
        return KernelPlan(launches, workspaceBytes: workspace, operations: operations(site.outputs[0].shape))
    }

    func operations(_ y: Shape) -> Int { 2 * Shape([y[0], y[1], gates, y[2], y[2]]).count }

    /// Of the way over time, and back; `product` is the type of R.
    func params(_ site: KernelSite, y: Shape, product: ck_dtype) -> ck_recurrent_params {
        let batch = y[timeMajor ? 1 : 0], time = y[timeMajor ? 0 : 1]
        var params = ck_recurrent_params()
        params.batch = Int64(batch)
        params.time = Int64(time)
        params.hidden = Int64(y[2])
        params.block = ck_recurrent_block(Int64(batch), Int32(site.lanes))
        (params.x_row_stride, params.x_time_stride) = strides(batch, time, gates &* y[2])
        (params.y_row_stride, params.y_time_stride) = strides(batch, time, y[2])
        params.cell = Int32(cell.rawValue)
        params.reverse = reverse ? 1 : 0
        params.has_lengths = hasLengths ? 1 : 0
        params.has_state = hasInitialState ? 1 : 0
        params.has_mask = hasStateMask ? 1 : 0
        params.reset_after = resetAfter ? 1 : 0
        params.activation = activation.params
        params.narrow = product == site.dtype ? 0 : 1
        params.product = ck_gemm(site.dtype, product, site.isa)
        return params
    }

    /// Elements between batch entries and between steps.
    private func strides(_ batch: Int, _ time: Int, _ width: Int) -> (row: Int64, time: Int64) {
        timeMajor ? (Int64(width), Int64(batch &* width)) : (Int64(time &* width), Int64(width))
    }

    /// Packs R [gates, hidden, hidden], an input, or the transpose of each of its matrices.
    func packed(
        _ input: Int, _ r: Shape, _ site: KernelSite, transposed: Bool = false, at offset: Int
    ) throws(ApusError) -> Launch {
        var pack = ck_panels_params()
        pack.k = Int64(r[1])
        pack.n = Int64(r[2])
        pack.row_stride = transposed ? 1 : pack.n
        pack.column_stride = transposed ? pack.n : 1
        pack.batch = Int64(r[0])
        pack.batch_stride = pack.k * pack.n
        let dtype = site.inputs[input].dtype.ck
        return try Launch(
            ck_pack_panels(dtype, dtype, site.isa), pack, units: ck_panels_units(&pack), [.input(input), .workspace(offset)])
    }

    public override func packedLayout(input: Int, type: TensorType) -> Layout? {
        if let op = stateProduct.op { return op.packedLayout(input: input, type: type) }
        return input == 1 && type.shape.rank == 3 ? .panels : nil
    }

    // MARK: Gradient

    #if !APUS_INFERENCE
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        guard keepsGates else { throw .unsupported("\(name) has no gradient, \(name)Training has one") }
        let arriving = Array(g.outputGradients[0...stateCount])
        let op = RecurrentGradient(of: self, hasGradients: arriving.map { $0 != nil })
        let rest = g.inputs[(resetAfter ? 3 : 2)...]
        let found = try g.builder.node(op, [g.y, g.outputs[1 + stateCount], g.inputs[1]] + rest + arriving.compactMap { $0 })
        var results: [Value?] = [found[0], found[1]]
        if resetAfter { results.append(g.wanted[2] ? try g(SumLike(), found[2], g.inputs[2]) : nil) }
        if hasLengths { results.append(nil) }
        results += found.suffix(hasInitialState ? stateCount : 0).map { $0 }
        return hasStateMask ? results + [nil] : results
    }
    #endif
}
