import CKernels
import CModelFormat

/// How a recurrent layer multiplies its state, h·R.
///
/// With weights of integers the layer's functions have one definition, so that the same inputs give the same bits on every
/// instruction set: Docs/Quantization.md, section 13.
public enum StateProduct: Sendable {
    /// R [G, hidden, hidden], real.
    case real
    /// As `WeightOnlyDense` does, or `DynamicDense`: W [hidden, G·hidden] and what belongs to it are in the place of R.
    case weightOnly(blockSize: Int = 0, hasZeroPoints: Bool = false, dynamicActivations: Bool = false)
    case dynamic

    public var op: Operator? {
        switch self {
        case .real: nil
        case .weightOnly(let block, let hasZeroPoints, let isDynamic):
            WeightOnlyDense(blockSize: block, hasZeroPoints: hasZeroPoints, hasBias: false, dynamicActivations: isDynamic)
        case .dynamic: DynamicDense(hasBias: false)
        }
    }

    /// How many inputs are in the place of R.
    public var inputCount: Int { op.map { $0.inputCount.lowerBound - 1 } ?? 1 }

    // MARK: Wire

    init(_ m: Apus__Recurrent) {
        if let product = m.weight_only?.pointee {
            self = .weightOnly(
                blockSize: Int(product.block_size), hasZeroPoints: product.has_zero_points != 0,
                dynamicActivations: product.dynamic_activations != 0)
        } else {
            self = m.dynamic == nil ? .real : .dynamic
        }
    }

    func encode(to m: inout Apus__Recurrent, _ wire: WireArena) {
        var node = Apus__Node()
        op?.encode(to: &node, wire)
        switch self {
        case .real: break
        case .weightOnly: m.weight_only = node.weight_only_dense
        case .dynamic: m.dynamic = node.dynamic_dense
        }
    }

    // MARK: Shape rule

    /// Of `inputs`, those in the place of R, for a state [batch, hidden] and sums of `width` columns.
    func check(_ inputs: [TensorType], state: TensorType, width: Int, activation: Activation) throws(ApusError) {
        guard let op else { return }
        let sums = try op.outputTypes([state] + inputs)[0]
        guard sums.shape[1] == width else { throw .shape("W \(inputs[0]), wanted \(width) columns") }
        guard StateProduct.isExact(activation) else {
            throw .shape("\(activation.name) after integer weights, wanted a function that is the same on every instruction set")
        }
    }

    /// Whether every instruction set gives the same bits for an RNN's function.
    public static func isExact(_ activation: Activation) -> Bool {
        switch activation {
        case .none, .relu, .relu6, .leakyRelu, .hardSwish, .clip, .sigmoid, .tanh: true
        default: false
        }
    }

    // MARK: Kernel choice

    /// Those of the layer's parameters that integer weights take.
    func set(_ params: inout ck_recurrent_params, _ site: KernelSite) {
        params.isa = Int32(site.isa.rawValue)
        params.integer_isa = Int32(site.integerISA.rawValue)
        switch self {
        case .real: break
        case .dynamic: params.integers = Int32(CK_STATE_CODES.rawValue)
        case .weightOnly(let block, let hasZeroPoints, let isDynamic):
            params.integers = Int32((isDynamic ? CK_STATE_NARROW_CODES : CK_STATE_WEIGHTS).rawValue)
            params.weights = Int32(site.inputs[1].dtype.ck.rawValue)
            params.weight_block = block == 0 ? params.hidden : Int64(block)
            params.has_zeros = hasZeroPoints ? 1 : 0
        }
    }

    /// Packs W, input 1, of type `w`.
    func packed(_ w: TensorType, at offset: Int) throws(ApusError) -> Launch {
        var geometry = ck_conv_params(rows: 1, depth: w.shape[0], columns: w.shape[1])
        return try Launch(
            ck_pack_panels4(w.dtype.ck), geometry, units: ck_panels4_units(&geometry), [.input(1), .workspace(offset)])
    }
}
