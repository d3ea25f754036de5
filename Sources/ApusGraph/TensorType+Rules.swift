/// Sets of layouts that a rule accepts.
public enum LayoutRule: Sendable {
    case plain, plainOrPanels, plainOrConvPanels

    func accepts(_ layout: Layout) -> Bool {
        switch (self, layout) {
        case (_, .plain): true
        case (.plainOrPanels, .panels): true
        case (.plainOrConvPanels, .convPanels), (.plainOrConvPanels, .winogradPanels): true
        default: false
        }
    }
}

/// The words that shape rules are written in. Each throws one line: the thing, the value found, the value wanted.
extension TensorType {
    /// Unquantized, in an accepted layout, and where given of a rank, float or a dtype.
    public func require(
        _ what: String, rank: Int? = nil, minimumRank: Int = 0, float: Bool = false, dtype: DType? = nil,
        layouts: LayoutRule = .plain
    ) throws(ApusError) {
        guard layouts.accepts(layout) else { throw .shape("\(what) \(self) in a packed layout, wanted plain") }
        guard quantization == nil else { throw .shape("\(what) \(self) is quantized, wanted real numbers") }
        if let rank, shape.rank != rank { throw .shape("\(what) \(self) of rank \(shape.rank), wanted \(rank)") }
        guard shape.rank >= minimumRank else {
            throw .shape("\(what) \(self) of rank \(shape.rank), wanted \(minimumRank) or more")
        }
        guard !float || self.dtype == .f32 || self.dtype == .f64 else {
            throw .shape("\(what) of type \(self.dtype.name), wanted f32 or f64")
        }
        if let dtype, dtype != self.dtype {
            throw .shape("\(what) of type \(self.dtype.name), wanted \(dtype.name)")
        }
    }

    public func require(_ what: String, exactly type: TensorType) throws(ApusError) {
        guard self == type else { throw .shape("\(what) \(self), wanted \(type)") }
    }

    /// An index type.
    public func requireIndices(_ what: String) throws(ApusError) {
        try require(what)
        guard dtype == .i32 || dtype == .i64 else { throw .shape("\(what) of type \(dtype.name), wanted i32 or i64") }
    }

    /// A type that sums and comparisons along axes take.
    public func requireNumbers(_ what: String) throws(ApusError) {
        try require(what)
        guard dtype == .f32 || dtype == .f64 || dtype == .i32 || dtype == .i64 else {
            throw .shape("\(what) of type \(dtype.name), wanted f32, f64, i32 or i64")
        }
    }

    /// Weights may be of the activations' type or, packed, narrower.
    public func requireWeights(for x: TensorType) throws(ApusError) {
        let narrow = x.dtype == .f32 && layout != .plain && (dtype == .f16 || dtype == .bf16)
        guard dtype == x.dtype || narrow else {
            throw .shape("weights of type \(dtype.name) for \(x.dtype.name), wanted the same, or packed f16 or bf16")
        }
    }
}
