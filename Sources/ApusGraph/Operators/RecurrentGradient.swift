import CKernels
import CModelFormat

/// Back-propagation through time: the gradients at the inputs of a RecurrentLayer (Werbos 1990).
///
/// Inputs: y and what the layer kept; R, plain; lengths, the first h, c and m if the layer has them; dy, dh, dc, the gradients at
/// y and the last states, those that arrive. Outputs: dx, shaped like the layer's x; dR; of a GRU with `resetAfter` du,
/// shaped like y, the gradient at h·R_n + b; if the layer has them, dh and dc of the first states.
public final class RecurrentGradient: Operator {
    public let layer: RecurrentLayer
    /// Whether a gradient arrives at y, at the last h and of LSTM at the last c.
    public let hasGradients: [Bool]

    public init(of layer: RecurrentLayer, hasGradients: [Bool]) {
        self.layer = layer
        self.hasGradients = hasGradients
    }

    // MARK: Wire

    public static let rnn = OperatorEntry("RNNGradient", APUS__NODE__OPERATOR_RNN_GRADIENT) { node throws(ApusError) in
        try read(node.rnn_gradient.pointee, Rnn.read)
    }
    public static let gru = OperatorEntry("GRUGradient", APUS__NODE__OPERATOR_GRU_GRADIENT) { node throws(ApusError) in
        try read(node.gru_gradient.pointee, Gru.read)
    }
    public static let lstm = OperatorEntry("LSTMGradient", APUS__NODE__OPERATOR_LSTM_GRADIENT) { node throws(ApusError) in
        try read(node.lstm_gradient.pointee, Lstm.read)
    }
    public override var entry: OperatorEntry {
        switch layer.cell {
        case CK_LSTM: RecurrentGradient.lstm
        case CK_GRU: RecurrentGradient.gru
        default: RecurrentGradient.rnn
        }
    }

    private static func read(
        _ m: Apus__RecurrentGradient, _ layer: (Apus__Recurrent, Bool) throws(ApusError) -> RecurrentLayer
    ) throws(ApusError) -> RecurrentGradient {
        guard let recurrent = m.layer else { throw .file("a gradient without its layer") }
        let layer = try layer(recurrent.pointee, true)
        return RecurrentGradient(
            of: layer, hasGradients: Array([m.has_dy != 0, m.has_dh != 0, m.has_dc != 0].prefix(1 + layer.stateCount)))
    }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.lstm_gradient = wire.message(apus__recurrent_gradient__init) {
            $0.layer = layer.encoded(wire)
            $0.has_dy = hasGradients[0] ? 1 : 0
            $0.has_dh = hasGradients[1] ? 1 : 0
            $0.has_dc = hasGradients.last == true && layer.stateCount == 2 ? 1 : 0
        }
    }

    // MARK: Shape rule

    private var firstState: Int { 3 + (layer.hasLengths ? 1 : 0) }
    private var states: Int { layer.hasInitialState ? layer.stateCount : 0 }

    public override var inputCount: ClosedRange<Int> {
        let count = firstState + states + (layer.hasStateMask ? 1 : 0) + hasGradients.count { $0 }
        return count...count
    }
    public override var outputCount: Int { 2 + (layer.resetAfter ? 1 : 0) + states }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let y = inputs[0], r = inputs[2]
        try y.require("y", rank: 3, float: true)
        let hidden = y.shape[2], gates = layer.gates
        try inputs[1].require("kept", exactly: TensorType(y.dtype, y.shape.replacing(2, with: layer.keptWidth &* hidden)))
        try r.require("R", exactly: TensorType(y.dtype, [gates, hidden, hidden]))
        let batch = y.shape[layer.timeMajor ? 1 : 0], state = TensorType(y.dtype, [batch, hidden])
        if layer.hasLengths {
            try inputs[3].requireIndices("lengths")
            try inputs[3].require("lengths", exactly: TensorType(inputs[3].dtype, [batch]))
        }
        var next = firstState
        for _ in 0..<states {
            try inputs[next].require("a first state", exactly: state)
            next += 1
        }
        if layer.hasStateMask {
            try inputs[next].require("m", exactly: state)
            next += 1
        }
        for (i, arrives) in hasGradients.enumerated() where arrives {
            try inputs[next].require(i == 0 ? "dy" : "the gradient at a last state", exactly: i == 0 ? y : state)
            next += 1
        }
        var outputs = [TensorType(y.dtype, y.shape.replacing(2, with: gates &* hidden)), r]
        if layer.resetAfter { outputs.append(y) }
        for _ in 0..<states { outputs.append(state) }
        return outputs
    }

    // MARK: Kernel choice

    /// The workspace holds Rᵀ, the state that each step began with and of a GRU without `resetAfter` r·h, dx in panels, and
    /// what each lane has in work.
    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let y = site.inputs[0].shape, hidden = Int64(y[2]), bytes = site.inputs[0].dtype.bitWidth / 8
        var params = layer.params(site, y: y, product: site.dtype)
        params.length_dtype = layer.hasLengths ? Int32(site.inputs[3].dtype.rawValue) : 0
        params.has_dy = hasGradients[0] ? 1 : 0
        params.has_dh = hasGradients[1] ? 1 : 0
        params.has_dc = hasGradients.count > 2 && hasGradients[2] ? 1 : 0
        let activation = ck_activation(UInt32(params.activation.kind))
        if layer.cell == CK_RNN { params.slope = ck_activation_gradient(activation, site.dtype, site.isa) }
        let isGRU = layer.cell == CK_GRU, isInner = isGRU && !layer.resetAfter
        var end = 0
        func take(_ elements: Int) -> Int {
            defer { end += (elements * bytes + 63) / 64 * 64 }
            return end
        }
        let transposed = take(layer.gates * Int(ck_panels_size(hidden, hidden)))
        let before = take(y.count), inner = take(isInner ? y.count : 0)
        let rows = Int64(y.product(0..<2)), size = ck_panels_size(rows, hidden)
        let panels = take(layer.gates * Int(size))
        let innerOperand = layer.resetAfter ? KernelOperand.output(2) : .workspace(inner)
        var operands: [KernelOperand] = [.input(0), .input(1), .workspace(transposed)]
        for i in 3..<site.inputs.count { operands.append(.input(i)) }
        operands += [.output(0), .workspace(before)]
        if isGRU { operands.append(innerOperand) }
        for i in site.outputs.count - states..<site.outputs.count { operands.append(.output(i)) }
        operands.append(.workspace(end))
        var launches = [
            try layer.packed(2, site.inputs[2].shape, site, transposed: true, at: transposed),
            try Launch(
                ck_recurrent_gradient(site.dtype, site.isa), params, units: ck_recurrent_gradient_units(&params), operands),
            try pack(
                rows, hidden, gates: layer.resetAfter ? 2 : layer.gates, width: Int64(layer.gates) * hidden, site, .output(0),
                at: panels),
        ]
        if layer.resetAfter {
            let last = panels + 2 * Int(size) * bytes
            launches.append(try pack(rows, hidden, gates: 1, width: hidden, site, .output(2), at: last))
        }
        // n of a GRU that resets before; its other gates' products follow.
        if isInner { launches.append(try product(rows, hidden, gates: 3, site, .workspace(inner), panels)) }
        launches.append(try product(rows, hidden, gates: isInner ? 2 : layer.gates, site, .workspace(before), panels))
        return KernelPlan(
            launches, workspaceBytes: end + ck_recurrent_gradient_workspace(&params, site.dtype, Int32(site.lanes)),
            operations: 2 * layer.operations(y))
    }

    /// Gates of a matrix [rows, width] in panels, each by itself.
    private func pack(
        _ rows: Int64, _ hidden: Int64, gates: Int, width: Int64, _ site: KernelSite, _ plain: KernelOperand, at offset: Int
    ) throws(ApusError) -> Launch {
        var pack = ck_panels_params()
        pack.k = rows
        pack.n = hidden
        pack.row_stride = width
        pack.column_stride = 1
        pack.batch = Int64(gates)
        pack.batch_stride = hidden
        return try Launch(
            ck_pack_panels(site.dtype, site.dtype, site.isa), pack, units: ck_panels_units(&pack),
            [plain, .workspace(offset)])
    }

    /// dR[g] = aᵀ·panels[g]
    private func product(
        _ rows: Int64, _ hidden: Int64, gates: Int, _ site: KernelSite, _ a: KernelOperand, _ panels: Int
    ) throws(ApusError) -> Launch {
        var product = ck_gemm_params()
        product.m = hidden
        product.n = hidden
        product.k = rows
        product.a_row_stride = 1
        product.a_k_stride = hidden
        product.c_row_stride = hidden
        product.batch = Int64(gates)
        product.b_batch_stride = ck_panels_size(rows, hidden)
        product.c_batch_stride = hidden * hidden
        return try Launch(
            ck_gemm(site.dtype, site.dtype, site.isa), product, units: ck_gemm_units(&product),
            [a, .workspace(panels), .output(1)])
    }
}
