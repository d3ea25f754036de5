import CKernels
import CModelFormat

/// A cell that goes over time, from what the inputs give every step at once, x = input·W + b: RNN, GRU, LSTM.
///
/// Inputs, G the number of gates:
/// - x [batch, time, G·hidden], or [time, batch, G·hidden] if `timeMajor`; f32
/// - R [G, hidden, hidden], plain or in panels: the state's part of gate g is h·R[g]
/// - b [hidden], of a GRU with `resetAfter` only
/// - if `hasLengths`, lengths [batch], i32 or i64: from there on y is 0 and the state stays
/// - if `hasInitialState`, h [batch, hidden], and for LSTM c; else they start as zeros
///
/// Outputs: y [batch, time, hidden], or time first; the last h [batch, hidden], and for LSTM c.
public class RecurrentLayer: Operator {
    /// From the last step to the first; y stays in the order of x.
    public let reverse: Bool
    public let timeMajor: Bool
    public let hasLengths: Bool
    public let hasInitialState: Bool

    init(reverse: Bool, timeMajor: Bool, hasLengths: Bool, hasInitialState: Bool) {
        self.reverse = reverse
        self.timeMajor = timeMajor
        self.hasLengths = hasLengths
        self.hasInitialState = hasInitialState
    }

    // What the cells differ in.

    var cell: ck_cell { CK_CELLS }
    public var resetAfter: Bool { false }
    public var activation: Activation { .tanh }

    private var gates: Int { Int(ck_recurrent_gates(Int32(cell.rawValue))) }
    /// h, and for LSTM c.
    private var stateCount: Int { cell == CK_LSTM ? 2 : 1 }

    // MARK: Wire

    static func entry(
        _ name: String, _ code: Apus__Node__OperatorCase,
        _ make: @escaping @Sendable (Apus__Recurrent) throws(ApusError) -> RecurrentLayer
    ) -> OperatorEntry {
        OperatorEntry(name, code) { node throws(ApusError) in try make(node.lstm.pointee) }
    }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.lstm = wire.message(apus__recurrent__init) {
            $0.reverse = reverse ? 1 : 0
            $0.time_major = timeMajor ? 1 : 0
            $0.has_lengths = hasLengths ? 1 : 0
            $0.has_initial_state = hasInitialState ? 1 : 0
            $0.reset_after = resetAfter ? 1 : 0
            $0.activation = cell == CK_RNN ? activation.encoded(wire) : nil
        }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> {
        let count = 2 + (resetAfter ? 1 : 0) + (hasLengths ? 1 : 0) + (hasInitialState ? stateCount : 0)
        return count...count
    }

    public override var outputCount: Int { 1 + stateCount }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let x = inputs[0], r = inputs[1]
        try x.require("x", rank: 3, dtype: .f32)
        try r.require("R", rank: 3, layouts: .plainOrPanels)
        try r.requireWeights(for: x)
        let hidden = r.shape[2]
        guard r.shape == [gates, hidden, hidden], x.shape[2] == gates &* hidden else {
            throw .shape("x \(x) and R \(r), wanted \(gates) gates: [..., \(gates)·hidden] and [\(gates), hidden, hidden]")
        }
        let batch = x.shape[timeMajor ? 1 : 0]
        let state = TensorType(.f32, [batch, hidden])
        var next = 2
        if resetAfter {
            try inputs[next].require("b", exactly: TensorType(.f32, [hidden]))
            next += 1
        }
        if hasLengths {
            try inputs[next].requireIndices("lengths")
            try inputs[next].require("lengths", exactly: TensorType(inputs[next].dtype, [batch]))
            next += 1
        }
        if hasInitialState {
            for i in 0..<stateCount { try inputs[next + i].require(i == 0 ? "h" : "c", exactly: state) }
        }
        return [x.shape.replacing(2, with: hidden)].map { TensorType(.f32, $0) } + [TensorType](repeating: state, count: stateCount)
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let x = site.inputs[0].shape, hidden = site.inputs[1].shape[2], r = site.inputs[1]
        let batch = x[timeMajor ? 1 : 0], time = x[timeMajor ? 0 : 1]
        var params = ck_recurrent_params()
        params.batch = Int64(batch)
        params.time = Int64(time)
        params.hidden = Int64(hidden)
        (params.x_row_stride, params.x_time_stride) = strides(batch, time, x[2])
        (params.y_row_stride, params.y_time_stride) = strides(batch, time, hidden)
        params.cell = Int32(cell.rawValue)
        params.reverse = reverse ? 1 : 0
        params.has_lengths = hasLengths ? 1 : 0
        params.length_dtype = hasLengths ? Int32(site.inputs[resetAfter ? 3 : 2].dtype.rawValue) : 0
        params.has_state = hasInitialState ? 1 : 0
        params.reset_after = resetAfter ? 1 : 0
        params.activation = activation.params
        params.product = ck_gemm(CK_F32, r.dtype.ck, site.isa)
        var operands = site.allOperands
        var launches: [Launch] = []
        var workspace = (ck_recurrent_workspace(&params, Int32(site.lanes)) + 63) / 64 * 64
        operands.append(.workspace(0))
        if r.layout == .plain {
            operands[1] = .workspace(workspace)
            launches.append(try packed(r, site, at: workspace))
            workspace += Int(ck_panels_size(Int64(hidden), Int64(hidden))) * gates * r.dtype.bitWidth / 8
        }
        launches.append(
            try Launch(ck_recurrent(site.dtype, site.isa), params, units: ck_recurrent_units(&params), operands))
        return KernelPlan(
            launches, workspaceBytes: workspace, operations: 2 * Shape([batch, time, gates, hidden, hidden]).count)
    }

    /// Elements between batch entries and between steps.
    private func strides(_ batch: Int, _ time: Int, _ width: Int) -> (row: Int64, time: Int64) {
        timeMajor ? (Int64(width), Int64(batch &* width)) : (Int64(time &* width), Int64(width))
    }

    private func packed(_ r: TensorType, _ site: KernelSite, at offset: Int) throws(ApusError) -> Launch {
        var pack = ck_panels_params()
        pack.k = Int64(r.shape[1])
        pack.n = Int64(r.shape[2])
        pack.row_stride = pack.n
        pack.column_stride = 1
        pack.batch = Int64(r.shape[0])
        pack.batch_stride = pack.k * pack.n
        return try Launch(
            ck_pack_panels(r.dtype.ck, r.dtype.ck, site.isa), pack, units: ck_panels_units(&pack),
            [.input(1), .workspace(offset)])
    }

    public override func packedLayout(input: Int, type: TensorType) -> Layout? {
        input == 1 && type.shape.rank == 3 ? .panels : nil
    }
}
