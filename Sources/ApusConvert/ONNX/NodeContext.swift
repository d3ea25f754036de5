import ApusGraph

/// One node under import: its attributes, its inputs and where what it becomes is appended.
final class NodeContext {
    let node: OnnxNode
    /// The version of the node's operator set.
    let version: Int
    let inputs: [ImportedValue?]
    let g: Emitter
    let importer: Importer
    let scope: Scope
    /// Inputs of the graph that would have to be fixed for this node.
    private(set) var missing: Set<String> = []

    init(_ node: OnnxNode, version: Int, _ inputs: [ImportedValue?], _ g: Emitter, _ importer: Importer, _ scope: Scope) {
        self.node = node
        self.version = version
        self.inputs = inputs
        self.g = g
        self.importer = importer
        self.scope = scope
    }

    // MARK: Inputs

    func has(_ index: Int) -> Bool { index < inputs.count && inputs[index] != nil }

    func imported(_ index: Int) throws(ApusError) -> ImportedValue {
        guard index < inputs.count, let value = inputs[index] else {
            throw .file("\(inputs.count) inputs, wanted input \(index)")
        }
        return value
    }

    /// An input as a term.
    func term(_ index: Int) throws(ApusError) -> Term { try term(try imported(index)) }

    func term(_ value: ImportedValue) throws(ApusError) -> Term {
        switch value.content {
        case .term(let term): return term
        case .codes(let codes): return try g.plain(codes)
        case .known(let constants):
            do throws(ApusError) { return try g.materialized(constants) } catch {
                guard error.code == .unsupported, let (node, output) = value.computation,
                    let term = node.term(output, constants.map { $0.type })
                else { throw error }
                return term
            }
        }
    }

    /// Every input that is there, as terms.
    func terms() throws(ApusError) -> [Term] {
        var terms: [Term] = []
        for i in inputs.indices { terms.append(try term(i)) }
        return terms
    }

    /// The types of an input, one per sample of the graph that is being built.
    func types(_ index: Int) throws(ApusError) -> [TensorType] {
        try imported(index).types.spread(over: g.samples.count)
    }

    func dtype(_ index: Int) throws(ApusError) -> DType { try imported(index).dtype }

    func rank(_ index: Int) throws(ApusError) -> Int { try imported(index).shape.rank }

    /// An input whose elements must be known now and be fixed.
    func known(_ index: Int) throws(ApusError) -> Constant {
        let constants = try knownSamples(index)
        guard constants.count == 1 else {
            throw .unsupported("input \(index) ('\(node.inputs[index])') depends on a symbolic dimension")
        }
        return constants[0]
    }

    /// An input whose elements must be known now; one constant, or one per sample.
    func knownSamples(_ index: Int) throws(ApusError) -> [Constant] {
        let value = try imported(index)
        guard let constants = value.known else {
            missing.formUnion(value.sources)
            throw .unsupported("input \(index) ('\(node.inputs[index])') is not known at conversion")
        }
        return constants
    }

    func isKnown(_ index: Int) -> Bool { has(index) && inputs[index]!.known?.count == 1 }

    /// The elements of an integer input that is known and fixed: sizes, positions or axes.
    func integers(_ index: Int) throws(ApusError) -> [Int] { try known(index).integers().map { $0.clamped } }

    /// The elements of a known integer input, per sample of the graph that is being built.
    func integerSamples(_ index: Int) throws(ApusError) -> [[Int]] {
        var samples: [[Int]] = []
        for constant in try knownSamples(index) { samples.append(try constant.integers().map { $0.clamped }) }
        guard samples.allSatisfy({ $0.count == samples[0].count }) else {
            throw .unsupported("input \(index) ('\(node.inputs[index])') of as many numbers as a symbolic dimension decides")
        }
        return samples.count == 1 ? [[Int]](repeating: samples[0], count: g.samples.count) : samples
    }

    /// The one element of a known input.
    func number(_ index: Int) throws(ApusError) -> Double {
        let elements = try known(index).elements()
        guard elements.count == 1 else { throw .shape("input \(index) of \(elements.count) elements, wanted one") }
        return elements[0]
    }

    /// The one element of a known input, which must be a whole number; the nearest within ±2³¹.
    func integer(_ index: Int) throws(ApusError) -> Int {
        let value = try number(index)
        guard value.isFinite, value == value.rounded() else {
            throw .shape("input \(index) is \(value), wanted a whole number")
        }
        return Int(exactly: value)?.clamped ?? (value < 0 ? Int.min : Int.max).clamped
    }

    // MARK: Other operators

    /// The outputs of an operator of ONNX's own set, of its newest version, over other values under the node's name.
    func call(
        _ op: String, _ inputs: [Term?], _ attributes: [String: OnnxAttribute] = [:]
    ) throws(ApusError) -> [Term] {
        var terms: [Term] = []
        for value in try call(op, values: inputs.map { $0.map { ImportedValue($0) } }, attributes) { terms.append(try term(value)) }
        return terms
    }

    /// With what is known of the values.
    func call(
        _ op: String, values: [ImportedValue?], _ attributes: [String: OnnxAttribute] = [:]
    ) throws(ApusError) -> [ImportedValue] {
        var called = node
        (called.op, called.domain, called.attributes) = (op, "", attributes)
        called.inputs = values.indices.map { "\(op) input \($0)" }
        let version = OnnxOperatorTable.versions.upperBound
        let context = NodeContext(called, version: version, values, g, importer, scope)
        guard let mapping = importer.mapping(of: called, version) else { throw .unsupported("operator \(op)") }
        return try importer.results(mapping, context)
    }

    // MARK: Attributes

    func hasAttribute(_ name: String) -> Bool { node.attributes[name] != nil }

    /// A size, a position or an axis.
    func int(_ name: String, _ otherwise: Int? = nil) throws(ApusError) -> Int {
        switch node.attributes[name] {
        case .int(let value): return value.clamped
        case nil: if let otherwise { return otherwise }
        default: break
        }
        throw wrong(name, "an integer")
    }

    func flag(_ name: String, _ otherwise: Bool = false) throws(ApusError) -> Bool {
        try int(name, otherwise ? 1 : 0) != 0
    }

    func ints(_ name: String) throws(ApusError) -> [Int]? {
        switch node.attributes[name] {
        case .ints(let values): return values.map { $0.clamped }
        case nil: return nil
        default: throw wrong(name, "integers")
        }
    }

    func float(_ name: String, _ otherwise: Float? = nil) throws(ApusError) -> Float {
        switch node.attributes[name] {
        case .float(let value): return value
        case nil: if let otherwise { return otherwise }
        default: break
        }
        throw wrong(name, "a number")
    }

    func floats(_ name: String) throws(ApusError) -> [Float]? {
        switch node.attributes[name] {
        case .floats(let values): return values
        case nil: return nil
        default: throw wrong(name, "numbers")
        }
    }

    func string(_ name: String, _ otherwise: String? = nil) throws(ApusError) -> String {
        switch node.attributes[name] {
        case .string(let bytes): return String(decoding: bytes, as: UTF8.self)
        case nil: if let otherwise { return otherwise }
        default: break
        }
        throw wrong(name, "a text")
    }

    func strings(_ name: String) throws(ApusError) -> [String]? {
        switch node.attributes[name] {
        case .strings(let values): return values.map { String(decoding: $0, as: UTF8.self) }
        case nil: return nil
        default: throw wrong(name, "texts")
        }
    }

    func tensor(_ name: String) throws(ApusError) -> Constant {
        guard case .tensor(let tensor) = node.attributes[name] else { throw wrong(name, "a tensor") }
        guard let constant = tensor.constant else {
            throw .unsupported("a tensor of \(tensor.elementType.name), which Apus does not have")
        }
        return constant
    }

    func subgraph(_ name: String) throws(ApusError) -> OnnxGraph {
        guard case .graph(let graph) = node.attributes[name] else { throw wrong(name, "a graph") }
        return graph
    }

    /// The element type that an attribute names by ONNX's number.
    func elementType(_ name: String, _ otherwise: DType? = nil) throws(ApusError) -> DType {
        if let otherwise, !hasAttribute(name) { return otherwise }
        let type = OnnxElementType(try int(name))
        guard let dtype = type.dtype else { throw .unsupported("elements of \(type.name), which Apus does not have") }
        return dtype
    }

    private func wrong(_ name: String, _ wanted: Message) -> ApusError {
        hasAttribute(name)
            ? .file("attribute '\(name)' of another type, wanted " + wanted) : .file("no attribute '\(name)', wanted " + wanted)
    }
}

extension Int {
    /// The nearest number within ±2³¹, which is further than any extent. So sums of what a file says, and products of two,
    /// cannot overflow.
    fileprivate var clamped: Int { Swift.min(Swift.max(self, -1 << 31), 1 << 31) }
}
