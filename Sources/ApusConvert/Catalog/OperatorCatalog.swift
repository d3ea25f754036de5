import ApusGraph

/// What is known of every operator: of those that a file of Apus may hold, and of those that ONNX models may.
public struct OperatorCatalog: Encodable, Sendable {
    public struct ApusOperator: Encodable, Sendable {
        public let name: String
        /// Its field number in apus.proto.
        public let code: UInt32
        /// What its inputs may be, as long as they may be of several types.
        public let types: [String]
        /// Whether a gradient flows through it.
        public let hasGradient: Bool
        /// Whether it takes integers that stand for reals.
        public let isQuantized: Bool
        /// Whether libapus has it, and not libapus-training alone.
        public let isInference: Bool
        public let isExported: Bool
    }

    public struct OnnxOperator: Encodable, Sendable {
        public let name: String
        /// "" for ONNX's own.
        public let domain: String
        /// Versions of the operator set that it is imported from.
        public let oldest: Int
        public let newest: Int
        public let isExported: Bool
    }

    /// By code.
    public let apus: [ApusOperator]
    /// By domain and name.
    public let onnx: [OnnxOperator]

    public init() throws(ApusError) {
        let inference = Set(inferenceOperators.map { $0.name }), exported = Set(OnnxExportTable.shared.names)
        let entries = operatorTable.entries.sorted { $0.code.rawValue < $1.code.rawValue }
        apus = entries.map { entry in
            let example = OperatorExample.all.first { $0.op.name == entry.name }
            return ApusOperator(
                name: entry.name, code: entry.code.rawValue, types: example?.varies == true ? example!.dtypes.map { $0.name } : [],
                hasGradient: example?.hasGradient ?? false, isQuantized: example?.isQuantized ?? false,
                isInference: inference.contains(entry.name), isExported: exported.contains(entry.name))
        }
        let made = try OperatorCatalog.exportedOperators()
        let runtime = "com.microsoft"
        var oldest: [[String]: Int] = [:]
        for name in OnnxNode.expandable(domain: runtime) + OnnxReader.adopted { oldest[[runtime, name]] = 1 }
        for one in OnnxOperatorTable.shared.all {
            oldest[[one.domain, one.name]] = min(one.since, oldest[[one.domain, one.name]] ?? one.since)
        }
        onnx = oldest.keys.sorted { $0.lexicographicallyPrecedes($1) }.map { key in
            let versions = OnnxOperatorTable.versions, since = oldest[key]!
            return OnnxOperator(
                name: key[1], domain: key[0], oldest: key[0].isEmpty ? max(since, versions.lowerBound) : since,
                newest: key[0].isEmpty ? versions.upperBound : since, isExported: key[0].isEmpty && made.contains(key[1]))
        }
    }

    /// The operators that the examples become in ONNX.
    private static func exportedOperators() throws(ApusError) -> Set<String> {
        var names: Set<String> = []
        for example in OperatorExample.all where OnnxExportTable.shared.find(example.op) != nil {
            for dtype in example.dtypes {
                guard case .success(let exporter) = try Exporter.export(try example.graph(dtype), OnnxExportOptions())
                else { continue }
                names.formUnion(exporter.model.graph.nodes.map { $0.op })
            }
        }
        return names
    }
}
