import ApusGraph

/// A recurrent layer in both directions, each with weights of its own (Schuster and Paliwal 1997).
///
///     Bidirectional(GRU(64, returnSequences: true))
///
/// Inputs: those of the layer, the first states of the way forward before those of the way back. Outputs: both ways' output,
/// merged, y in the order of x; then, if the layer returns its state, the last states of the way forward and of the way back.
/// Parameters: those of the layer, named forward_… and backward_….
public final class Bidirectional: Layer {
    public enum Merge: Sendable {
        /// Along the channels: 2·units.
        case concat
        case sum
    }

    public let layer: Recurrent
    public let merge: Merge

    /// The layer is one that goes forward.
    public init(_ layer: Recurrent, merge: Merge = .concat, name: String = "") {
        self.layer = layer
        self.merge = merge
        super.init(name: name)
    }

    public override var outputCount: Int { layer.returnState ? 1 + 2 * layer.stateNames.count : 1 }

    public override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        guard !layer.goBackwards else { throw .argument("a \(layer.kind) that goes backwards, wanted one that goes forward") }
        let count = layer.stateNames.count
        let arguments = try Recurrent.Arguments(inputs, context, stateCount: 2 * count)
        let forward = try layer.emit(
            arguments, Array(arguments.states.prefix(count)), reverse: false, prefix: "forward_", context)
        let backward = try layer.emit(
            arguments, Array(arguments.states.dropFirst(count)), reverse: true, prefix: "backward_", context)
        let outputs = layer.returnSequences ? [forward.y, backward.y] : [forward.states[0], backward.states[0]]
        let y = try context.node(merge == .concat ? ApusGraph.Concat(axis: -1) : .add, outputs)[0]
        if layer.returnSequences, let lengths = arguments.lengths { context.setLengths(of: y, lengths) }
        return [y] + (layer.returnState ? forward.states + backward.states : [])
    }
}
