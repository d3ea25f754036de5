import ApusGraph

/// How an ONNX operator is imported, from a version of its operator set on.
struct OnnxOperator: Sendable {
    typealias Mapping = @Sendable (NodeContext) throws(ApusError) -> [ImportedValue]

    let name: String
    let domain: String
    let since: Int
    let map: Mapping
    /// Whether the same inputs always give the same outputs, so that what is known can be computed at conversion.
    let isPure: Bool

    init(_ name: String, since: Int = 1, domain: String = "", isPure: Bool = true, _ map: @escaping Mapping) {
        self.name = name
        self.domain = domain
        self.since = since
        self.isPure = isPure
        self.map = map
    }

    /// Of one output, which is a term.
    init(
        _ name: String, since: Int = 1, domain: String = "",
        _ map: @escaping @Sendable (NodeContext) throws(ApusError) -> Term
    ) {
        self.init(name, since: since, domain: domain) { n throws(ApusError) in [ImportedValue(try map(n))] }
    }

    /// Of one input and one output, elementwise or not.
    init(_ name: String, unary: @escaping @Sendable (Emitter) -> (Term) throws(ApusError) -> Term) {
        self.init(name) { n throws(ApusError) -> Term in try unary(n.g)(try n.term(0)) }
    }

    /// Of two inputs and one output.
    init(_ name: String, binary: @escaping @Sendable (Emitter) -> (Term, Term) throws(ApusError) -> Term) {
        self.init(name) { n throws(ApusError) -> Term in try binary(n.g)(try n.term(0), try n.term(1)) }
    }
}

/// Every mapping by operator; those of one operator from the newest to the oldest.
struct OnnxOperatorTable: Sendable {
    static let versions = 7...28
    static let shared = OnnxOperatorTable([
        elementwiseOperators, bitwiseOperators, trigonometricOperators, activationOperators, movementOperators,
        paddingOperators, indexingOperators, scatteringOperators, selectionOperators, constantOperators, reductionOperators,
        linearOperators, convolutionOperators, poolingOperators, normalizationOperators, attentionOperators,
        linearAttentionOperators, lossOperators, resizeOperators, samplingOperators, regionOperators, randomOperators,
        signalOperators, quantizationOperators, recurrentOperators, contributedOperators, contributedAttentionOperators, controlFlowOperators, loopOperators,
    ])

    private let mappings: [String: [OnnxOperator]]
    let all: [OnnxOperator]

    private init(_ families: [[OnnxOperator]]) {
        all = Array(families.joined())
        mappings = Dictionary(grouping: all) { "\($0.domain).\($0.name)" }
            .mapValues { $0.sorted { $0.since > $1.since } }
    }

    /// The mapping of an operator at a version of its set.
    func find(_ domain: String, _ name: String, version: Int) -> OnnxOperator? {
        mappings["\(domain).\(name)"]?.first { $0.since <= version }
    }
}
