import CKernels
import CModelFormat

/// The attributes of the batch norms.
struct BatchNormAttributes {
    let epsilon: Float
    let momentum: Float

    init(epsilon: Float, momentum: Float) {
        self.epsilon = epsilon
        self.momentum = momentum
    }

    init(wire: UnsafeMutablePointer<Apus__BatchNorm>) {
        self.init(epsilon: wire.pointee.epsilon, momentum: wire.pointee.momentum)
    }

    func encoded(_ wire: WireArena) -> UnsafeMutablePointer<Apus__BatchNorm> {
        wire.message(apus__batch_norm__init) {
            $0.epsilon = epsilon
            $0.momentum = momentum
        }
    }

    func check() throws(ApusError) {
        try requireEpsilon(epsilon)
        guard momentum >= 0 && momentum <= 1 else { throw .shape("a momentum outside 0 ... 1") }
    }
}

func requireEpsilon(_ epsilon: Float) throws(ApusError) {
    guard epsilon > 0 && epsilon.isFinite else { throw .shape("an epsilon that is not a positive finite number") }
}

/// The type of the statistics of x, one for each row; checks x, and gamma, which is shaped like a row: the last `axes` dimensions.
func normalizedRows(_ x: TensorType, axes: Int, gamma: TensorType) throws(ApusError) -> TensorType {
    try x.require("x", float: true)
    guard axes >= 1 && axes <= x.shape.rank else {
        throw .shape("gamma over the last \(axes) dimensions of x \(x), wanted 1 ... \(x.shape.rank)")
    }
    let sizes = x.shape.dimensions
    let row = TensorType(x.dtype, Shape(Array(sizes.suffix(axes))))
    guard row.shape.count >= 1 else { throw .shape("rows \(row.shape) without elements") }
    try gamma.require("gamma", exactly: row)
    return TensorType(x.dtype, Shape(Array(sizes.dropLast(axes))))
}

/// Checks x [..., C] and vectors [C] of the same type.
func requireChannels(_ inputs: [TensorType], _ names: StaticString...) throws(ApusError) {
    let x = inputs[0]
    try x.require("x", minimumRank: 2, float: true)
    for (i, name) in names.enumerated() {
        try inputs[i + 1].require(name.description, exactly: TensorType(x.dtype, [x.shape.last]))
    }
}

extension ck_batch_norm_params {
    /// Of x [..., C].
    init(_ x: Shape, epsilon: Float = 0) {
        self.init()
        pixels = Int64(x.product(0..<x.rank - 1))
        channels = Int64(x.last)
        self.epsilon = Double(epsilon)
    }
}

extension KernelSite {
    /// A launch of a normalization over the type of input 0.
    func normalize<Params>(
        _ operation: ck_normalize_op, _ params: Params, _ operands: [KernelOperand]
    ) throws(ApusError) -> Launch {
        let units = withUnsafePointer(to: params) { ck_normalize_units(operation, $0) }
        return try Launch(ck_normalize(operation, dtype, isa), params, units: units, operands)
    }

    /// The bytes of the sums that batch norm takes by chunks.
    func batchNormSums(_ params: ck_batch_norm_params) -> Int {
        withUnsafePointer(to: params) { Int(ck_batch_norm_sums($0)) } * (inputs[0].dtype.bitWidth / 8)
    }

    /// The byte offset of the i-th vector of channels in the workspace, each on cache lines of its own.
    func vector(_ i: Int) -> Int {
        let bytes = inputs[0].shape.last * (inputs[0].dtype.bitWidth / 8)
        return i * ((bytes + 63) / 64 * 64)
    }
}
