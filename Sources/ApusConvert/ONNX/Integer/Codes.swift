import ApusGraph

/// Codes of i8 in the graph, which stand for a tensor of ONNX's int8, or for one of uint8 less 128.
struct Codes {
    /// Of i8, its type saying what the codes stand for.
    let term: Term
    let isUnsigned: Bool

    var scale: CodeScale { CodeScale(term.types[0])! }

    /// What a code is in ONNX, by its place in a table.
    static func integers(isUnsigned: Bool) -> [Double] { (0..<256).map { Double($0 - (isUnsigned ? 0 : 128)) } }
}

/// Scales and zero points of QuantizeLinear or DequantizeLinear that are known at conversion.
struct CodeParameters {
    let scales: [Float]
    let scaleShape: Shape
    /// As many as scales, or none.
    let zeroPoints: [Int]
    let dtype: DType
    let axis, block: Int

    /// Those that stand at inputs 1 and 2 of a node; nil where they are not known, not of f32, or no scales at all.
    init?(_ n: NodeContext, dtype: DType) throws(ApusError) {
        guard n.isKnown(1), !n.has(2) || n.isKnown(2), try n.dtype(1) == .f32 else { return nil }
        if n.has(2), try n.dtype(2) != dtype { return nil }
        let scale = try n.known(1)
        scales = try scale.tensor.array(of: Float.self)
        scaleShape = scale.type.shape
        zeroPoints = n.has(2) ? try n.known(2).integers() : []
        self.dtype = dtype
        axis = try n.int("axis", 1)
        block = try n.int("block_size", 0)
        guard zeroPoints.isEmpty || zeroPoints.count == scales.count,
            scales.allSatisfy({ $0 > 0 && $0.isFinite })
        else { return nil }
    }

    var isUnsigned: Bool { dtype == .u8 }

    /// Of codes of 8 bits with one scale for the tensor.
    var codeScale: CodeScale? {
        guard scales.count == 1, dtype == .i8 || dtype == .u8 else { return nil }
        return CodeScale(scale: scales[0], zeroPoint: Int32((zeroPoints.first ?? 0) - (isUnsigned ? 128 : 0)))
    }
}

/// Weights or a bias that DequantizeLinear makes real numbers of.
struct StoredCodes {
    let constant: Constant
    let parameters: CodeParameters

    /// Codes of 8 bits with one scale, as i8.
    func codes(_ g: Emitter) throws(ApusError) -> Codes? {
        guard let scale = parameters.codeScale else { return nil }
        let shift = parameters.isUnsigned ? 128 : 0
        let bytes = try constant.integers().map { Int8(truncatingIfNeeded: $0 - shift) }
        let codes = Constant(constant.name, scale.type(constant.type.shape), bytes.withUnsafeBytes { HeapStorage($0) })
        return Codes(term: g.constant(codes), isUnsigned: parameters.isUnsigned)
    }
}

/// A value each of whose elements is a function of one code.
struct CodeFunction {
    let codes: Codes
    /// [256], the value of each code from −128 on.
    let table: Constant
    /// Whether the values are the real numbers that the codes stand for.
    let isLinear: Bool

    init(_ codes: Codes, _ table: Constant, isLinear: Bool = false) {
        self.codes = codes
        self.table = table
        self.isLinear = isLinear
    }

    init(dequantizing codes: Codes) throws(ApusError) {
        let scale = codes.scale
        let values = (-128...127).map { scale.scale * Float($0 - Int(scale.zeroPoint)) }
        self.init(codes, Constant("table", floats: values), isLinear: true)
    }

    /// The plain integers of codes.
    init(integersOf codes: Codes) throws(ApusError) {
        let values = Codes.integers(isUnsigned: codes.isUnsigned)
        self.init(codes, try Constant("table", codes.isUnsigned ? .u8 : .i8, [256], values))
    }
}

/// A real value whose node can compute codes too, as soon as it is known of what scale.
struct PendingCodes {
    /// What later nodes add to it, and how they bound it.
    var bias: ImportedValue?
    var residual: Codes?
    var activation = Activation.none
    let takesBias, takesResidual, takesActivation: Bool
    let emit: (CodeScale, PendingCodes) throws(ApusError) -> Term

    init(
        takesBias: Bool = false, takesResidual: Bool = false, takesActivation: Bool = false,
        emit: @escaping (CodeScale, PendingCodes) throws(ApusError) -> Term
    ) {
        self.takesBias = takesBias
        self.takesResidual = takesResidual
        self.takesActivation = takesActivation
        self.emit = emit
    }

    func codes(_ scale: CodeScale) throws(ApusError) -> Term { try emit(scale, self) }
}

/// What is known of a value that comes from codes, beside its elements or its term.
indirect enum CodeOrigin {
    case function(CodeFunction)
    case stored(StoredCodes)
    case pending(PendingCodes)
    case dynamic(DynamicCodes)
}

extension ImportedValue {
    init(_ codes: Codes) { self.init(content: .codes(codes)) }

    init(_ term: Term, _ origin: CodeOrigin?) {
        self.init(term)
        self.origin = origin
    }

    var function: CodeFunction? {
        get throws(ApusError) {
            if case .codes(let codes) = content { return try CodeFunction(integersOf: codes) }
            if case .function(let function)? = origin { return function }
            return nil
        }
    }

    /// The codes that the value's real numbers are.
    var linearCodes: Codes? {
        if case .function(let function)? = origin, function.isLinear { return function.codes }
        return nil
    }

    var stored: StoredCodes? {
        if case .stored(let stored)? = origin { return stored }
        return nil
    }

    var pending: PendingCodes? {
        if case .pending(let pending)? = origin { return pending }
        return nil
    }
}

extension Emitter {
    /// The tensor of ONNX that codes stand for, of int8 or uint8.
    func plain(_ codes: Codes) throws(ApusError) -> Term {
        let table = try Constant("table", .f32, [256], Codes.integers(isUnsigned: codes.isUnsigned))
        return try cast(try self(Lookup(output: nil), codes.term, constant(table)), to: codes.isUnsigned ? .u8 : .i8)
    }

    /// A table of real numbers by codes, as codes of a scale.
    func lookup(_ codes: Term, _ table: [Float], to scale: CodeScale) throws(ApusError) -> Term {
        let bytes = table.map { scale.code(Double($0)) }
        let constant = Constant("table", TensorType(.i8, [256]), bytes.withUnsafeBytes { HeapStorage($0) })
        return try self(Lookup(output: scale), codes, self.constant(constant))
    }

    /// Codes in units of another scale.
    func rescaled(_ codes: Codes, to scale: CodeScale) throws(ApusError) -> Term {
        if codes.scale == scale { return codes.term }
        return try lookup(codes.term, try CodeFunction(dequantizing: codes).table.tensor.array(of: Float.self), to: scale)
    }
}

extension Constant {
    init(_ name: String, floats: [Float]) {
        self.init(name, TensorType(.f32, [floats.count]), floats.withUnsafeBytes { HeapStorage($0) })
    }

    /// Integers of i8 or i4.
    init(codes: [Int], _ dtype: DType, _ shape: [Int], _ name: String = "") {
        let isNarrow = dtype == .i4
        var bytes = [UInt8](repeating: 0, count: isNarrow ? (codes.count + 1) / 2 : codes.count)
        for (i, code) in codes.enumerated() {
            let byte = UInt8(truncatingIfNeeded: code)
            if isNarrow { bytes[i / 2] |= (byte & 15) << (i % 2 * 4) } else { bytes[i] = byte }
        }
        self.init(name, TensorType(dtype, Shape(shape)), bytes.withUnsafeBytes { HeapStorage($0) })
    }

    /// One element without an axis.
    var scalar: Constant {
        var result = self
        result.type.shape = []
        return result
    }

    init(_ name: String, integers32 integers: [Int32]) {
        self.init(name, TensorType(.i32, [integers.count]), integers.withUnsafeBytes { HeapStorage($0) })
    }
}
