import ApusGraph

/// How an Apus operator is exported.
struct OnnxExportRule: Sendable {
    typealias Export = @Sendable (NodeExport) throws(ApusError) -> [ExportedValue]

    /// The operator's name in Apus.
    let name: String
    let export: Export

    init(_ name: String, _ export: @escaping Export) {
        self.name = name
        self.export = export
    }

    /// Of an operator with attributes of its own.
    init<Op: Operator>(
        _ name: String, _ export: @escaping @Sendable (NodeExport, Op) throws(ApusError) -> [ExportedValue]
    ) {
        self.init(name) { n throws(ApusError) in
            guard let op = n.node.op as? Op else { throw .unsupported("operator \(n.node.op.name) of another class") }
            return try export(n, op)
        }
    }

    init<Op: Operator>(
        _ entry: OperatorEntry, _ export: @escaping @Sendable (NodeExport, Op) throws(ApusError) -> [ExportedValue]
    ) {
        self.init(entry.name, export)
    }

    /// Of one operator of ONNX on the same inputs, elementwise and broadcast.
    init(_ name: String, onnx: String) {
        self.init(name) { n throws(ApusError) in
            let (names, order) = try n.broadcast()
            return [ExportedValue(n.emit(onnx, names)[0], order)]
        }
    }
}

/// Every operator that inference uses but random numbers, by its name in Apus. One that is missing here cannot be exported, and fails
/// `testEveryOperatorOfInferenceIsExported`.
struct OnnxExportTable: Sendable {
    static let shared = OnnxExportTable([
        elementwiseExports, activationExports, productExports, poolExports, normalizationExports, reductionExports,
        movementExports, indexingExports, selectionExports, recurrentExports, attentionExports, quantizedExports,
        quantizedProductExports,
    ])

    private let rules: [String: OnnxExportRule]
    var names: [String] { rules.keys.sorted() }

    private init(_ families: [[OnnxExportRule]]) {
        rules = Dictionary(families.joined().map { ($0.name, $0) }) { first, _ in first }
    }

    func find(_ op: Operator) -> OnnxExportRule? { rules[op.name] }
}
