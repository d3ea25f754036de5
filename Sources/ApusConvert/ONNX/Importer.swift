import ApusGraph
import ApusRuntime
import struct Apus.Tensor

/// What an import is told.
public struct OnnxOptions: Sendable {
    /// Bounds of symbolic dimensions by name.
    public var dimensions: [String: ClosedRange<Int>] = [:]
    /// The symbolic dimensions that another one stands for too, by name.
    public var same: [String: String] = [:]
    /// Inputs that become constants, by name.
    public var fixed: [String: Tensor] = [:]
    /// Inputs that become states, by name: what the outputs of these names gave, they are in the next run.
    public var states: [String: String] = [:]
    /// Bounds of a symbolic dimension that has none: of a leading axis, and of another.
    public var leadingBounds = 1...32
    public var otherBounds = 1...256
    public var limits = ImportLimits()

    public init() {}
}

/// An ONNX model → a graph with one function, "predict".
///
/// Nodes are taken in order. What depends on constants and symbolic dimensions alone is computed at once, by running it;
/// everything else is appended to the function. A node that cannot be imported is reported, and the others are still
/// looked at, so that one report names all of them.
final class Importer {
    let model: OnnxModel
    let options: OnnxOptions
    let emitter: Emitter
    private(set) var blocks: [OnnxBlock] = []
    let budget: ImportBudget
    private var nodeCount = 0
    /// Whether integer rules were asked, which say things in more than one way.
    var hasCodes = false
    private let progress: (Int) -> Void

    /// Functions and graphs within each other.
    static let depthLimit = 32
    /// Parts in the way, after which no more are looked for.
    static let blockLimit = 1 << 10

    /// The graph of a model, or what is in the way. `progress` hears how many nodes are done.
    static func graph(
        of model: OnnxModel, _ options: OnnxOptions, progress: @escaping (Int) -> Void = { _ in }
    ) throws(ApusError) -> Result<Graph, OnnxBlocked> {
        let importer = try Importer(model, options, progress)
        try importer.run()
        guard importer.blocks.isEmpty else { return .failure(OnnxBlocked(blocks: importer.blocks)) }
        if importer.hasCodes { try importer.emitter.graph.removeUnread() }
        return .success(importer.emitter.graph)
    }

    private init(_ model: OnnxModel, _ options: OnnxOptions, _ progress: @escaping (Int) -> Void) throws(ApusError) {
        self.model = model
        self.options = options
        self.progress = progress
        let graph = Graph(model.graph.name)
        graph.producer = model.producer
        graph.metadata = model.metadata
        graph.dimensions = try Importer.dimensions(model, options)
        let weightBytes = model.graph.initializers.reduce(0) { $0 + ($1.constant?.type.byteSize ?? 0) }
        budget = ImportBudget(options.limits, weightBytes: weightBytes)
        emitter = Emitter(graph, function: "predict", budget, measures: model.measuresExtents)
    }

    // MARK: Inputs and outputs

    private static func dimensions(_ model: OnnxModel, _ options: OnnxOptions) throws(ApusError) -> [SymbolicDimension] {
        var dimensions: [SymbolicDimension] = [], replaced: [SymbolicDimension] = []
        for input in model.symbolicInputs(options) {
            for (axis, extent) in (input.extents ?? []).enumerated() {
                guard let own = extent.symbol(of: input, axis) else { continue }
                let name = options.same[own] ?? own
                if name != own { replaced.append(SymbolicDimension(own, 1...1)) }
                guard name == own, !dimensions.contains(where: { $0.name == name }) else { continue }
                let bounds = options.dimensions[name] ?? (axis == 0 ? options.leadingBounds : options.otherBounds)
                dimensions.append(SymbolicDimension(name, bounds))
            }
        }
        try dimensions.requireNames(options.dimensions.keys)
        try (dimensions + replaced).requireNames(options.same.keys)
        try dimensions.requireNames(options.same.values)
        return dimensions
    }

    private func run() throws(ApusError) {
        if let version = model.operatorSets[""], !OnnxOperatorTable.versions.contains(version) {
            let versions = OnnxOperatorTable.versions
            throw .unsupported("operator set \(version), wanted \(versions.lowerBound) ... \(versions.upperBound)")
        }
        let scope = Scope(operatorSets: model.operatorSets)
        for tensor in model.graph.initializers { define(tensor, in: scope) }
        for name in options.fixed.keys.sorted() {
            guard model.graph.inputs.contains(where: { $0.name == name }) else {
                throw .argument("no input '\(name)' to fix")
            }
        }
        try checkStates()
        for input in model.graph.inputs where scope.values[input.name] == nil || options.states[input.name] != nil {
            if var tensor = options.fixed[input.name] {
                if let dtype = input.elementType.dtype, dtype != tensor.dtype { tensor = try tensor.converted(to: dtype) }
                let storage = tensor.withUnsafeBytes { HeapStorage($0) }
                let type = TensorType(tensor.dtype, Shape(tensor.shape))
                scope.values[input.name] = .value(ImportedValue(Constant(input.name, type, storage)))
            } else {
                scope.values[input.name] = try declare(input)
            }
        }
        try importNodes(model.graph.nodes, scope)
        guard blocks.isEmpty else { return }
        let kept = Set(options.states.values)
        for output in model.graph.outputs where !kept.contains(output.name) { try declareOutput(output, scope) }
        try updateStates(scope)
        emitter.builder.finish()
    }

    func define(_ tensor: OnnxTensor, in scope: Scope) {
        if let constant = tensor.constant {
            scope.values[tensor.name] = .value(ImportedValue(constant))
        } else {
            scope.values[tensor.name] = .untyped("a tensor of \(tensor.elementType.name) \(tensor.dimensions)")
        }
    }

    private func declare(_ input: OnnxValueInfo) throws(ApusError) -> Scope.Entry {
        func blocked(_ reason: String) -> Scope.Entry {
            blocks.append(OnnxBlock(input: input, reason: reason))
            return .blocked
        }
        if case .other(let kind) = input.kind { return blocked("a \(kind), wanted a tensor") }
        guard let dtype = input.elementType.dtype else {
            return blocked("elements of \(input.elementType.name), which Apus does not have")
        }
        guard let extents = input.extents else { return blocked("a tensor of unknown rank") }
        guard extents.count <= Shape.maximumRank else {
            return blocked("rank \(extents.count), wanted at most \(Shape.maximumRank)")
        }
        var shape = Shape()
        for (axis, extent) in extents.enumerated() {
            if case .fixed(let size) = extent {
                guard size >= 0 else { throw .file("input '\(input.name)': extent \(size)") }
                shape.append(size)
            } else {
                let own = extent.symbol(of: input, axis)!, name = options.same[own] ?? own
                shape.append(-1 - emitter.graph.dimensions.firstIndex { $0.name == name }!)
            }
        }
        var type = TensorType(dtype, shape)
        let isState = options.states[input.name] != nil
        if !isState, let scale = codeScale(ofInput: input, type) {
            type = scale.type(type.shape)
            hasCodes = true
        }
        try type.resolved(emitter.graph.maxima).check()
        if isState { return .value(ImportedValue(try declareState(input.name, type))) }
        let term = try emitter.input(input.name, type)
        var value = type.quantization == nil ? ImportedValue(term) : ImportedValue(Codes(term: term, isUnsigned: false))
        value.sources = [input.name]
        return .value(value)
    }

    private func declareOutput(_ output: OnnxValueInfo, _ scope: Scope) throws(ApusError) {
        do throws(ApusError) {
            guard case .value(let value) = scope.find(output.name) else { throw .file("no node makes it") }
            let context = NodeContext(OnnxNode(), version: 0, [], emitter, self, scope)
            if case .codes(let codes) = value.content, !codes.isUnsigned {
                try emitter.output(output.name, codes.term)
            } else {
                try emitter.output(output.name, try context.term(value))
            }
        } catch {
            throw error.within("output '\(output.name)'")
        }
    }

    // MARK: Nodes

    func importNodes(_ nodes: [OnnxNode], _ scope: Scope) throws(ApusError) {
        guard scope.depth <= Importer.depthLimit else { throw .file("functions nested more than \(Importer.depthLimit) deep") }
        for node in nodes {
            guard blocks.count < Importer.blockLimit else { return }
            nodeCount += 1
            try budget.spendOnnxNode()
            progress(nodeCount)
            try importNode(node.resolving(scope.attributes), scope)
        }
    }

    private func importNode(_ node: OnnxNode, _ scope: Scope) throws(ApusError) {
        let key = OnnxFunction.Key(domain: node.domain, name: node.op, overload: node.overload)
        if let function = model.functions[key] {
            if node.domain == OwnFunction.domain, try importOwn(node, scope) { return }
            return try inline(function, node, scope)
        }
        guard let version = scope.operatorSets[node.domain], version >= 1 else {
            return block(node, scope, "no version of operator set '\(node.domain)' is imported")
        }
        if let nodes = node.expanded, isExpandable(node, scope) {
            hasCodes = true
            for part in nodes { try importNode(part, scope) }
            return
        }
        guard let mapping = mapping(of: node, version) else {
            let name = node.domain.isEmpty ? node.op : "\(node.domain).\(node.op)"
            return block(node, scope, "operator \(name) is not supported")
        }
        var inputs: [ImportedValue?] = []
        for name in node.inputs {
            if name.isEmpty {
                inputs.append(nil)
                continue
            }
            switch scope.find(name) {
            case .value(let value): inputs.append(value)
            case .untyped(let what): return block(node, scope, "input '\(name)' is \(what), which Apus does not have")
            case .blocked: return poison(node, scope)
            case nil: throw .file("node '\(node.label)' reads '\(name)', which nothing before it makes")
            }
        }
        while case .some(.none) = inputs.last { inputs.removeLast() }
        // A node may become many, each with this in its name.
        emitter.builder.prefix = node.label.prefix(256) + "/"
        let context = NodeContext(node, version: version, inputs, emitter, self, scope)
        do throws(ApusError) {
            bind(try results(mapping, context), node, scope, sources: Importer.sources(inputs))
        } catch {
            guard error.code != .outOfMemory && error.code != .ioError && !budget.isSpent else {
                throw error.within("node '\(node.label)'")
            }
            block(node, scope, error.message, inputs: context.missing)
        }
    }

    /// What a node gives: computed where all its inputs are known, else in the graph.
    func results(_ mapping: OnnxOperator, _ context: NodeContext) throws(ApusError) -> [ImportedValue] {
        let isFoldable = mapping.isPure && context.inputs.allSatisfy { $0 == nil || $0!.known != nil }
        return isFoldable ? try context.remembering(try fold(mapping, context)) : try mapped(mapping, context)
    }

    func mapping(of node: OnnxNode, _ version: Int) -> OnnxOperator? {
        OnnxOperatorTable.shared.find(node.domain, node.op, version: version)
    }

    /// The one output of a node whose inputs are known.
    func computed(_ context: NodeContext) throws(ApusError) -> Constant {
        try fold(mapping(of: context.node, context.version)!, context)[0].known![0]
    }

    static func sources(_ inputs: [ImportedValue?]) -> Set<String> {
        inputs.reduce(into: []) { $0.formUnion($1?.sources ?? []) }
    }

    func bind(_ values: [ImportedValue], _ node: OnnxNode, _ scope: Scope, sources: Set<String>) {
        for (i, name) in node.outputs.enumerated() where !name.isEmpty {
            guard i < values.count else {
                scope.values[name] = .untyped("an output of \(node.op)")
                continue
            }
            var value = values[i]
            if value.known == nil { value.sources.formUnion(sources) }
            scope.values[name] = .value(value)
        }
    }

    /// Computes a node of known inputs, at every sample where a symbolic dimension decides them.
    private func fold(_ mapping: OnnxOperator, _ context: NodeContext) throws(ApusError) -> [ImportedValue] {
        let count = context.inputs.map { $0?.known?.count ?? 1 }.max() ?? 1
        var samples: [[Constant]] = []
        for sample in 0..<count {
            let scratch = Emitter(
                Graph(), function: "fold", budget, computes: true, measures: context.node.measuresExtents)
            scratch.builder.prefix = String(context.node.label.prefix(256))
            let inputs = context.inputs.map { input in
                input?.known.map { ImportedValue($0.count == 1 ? $0[0] : $0[sample]) }
            }
            let inner = NodeContext(
                context.node, version: context.version, inputs, scratch, self, context.scope)
            let values = try mapping.map(inner)
            var terms: [Term] = []
            for value in values where value.known == nil { terms.append(try inner.term(value)) }
            var computed = terms.isEmpty ? [] : try scratch.evaluate(terms)
            samples.append(values.map { $0.known?[0] ?? computed.removeFirst() })
        }
        let node = count > 1 ? KnownNode(context.detached, mapping) : nil
        return samples[0].indices.map { output in
            var value = ImportedValue(samples: samples.map { $0[output] })
            value.computation = node.map { ($0, output) }
            return value
        }
    }

    private func inline(_ function: OnnxFunction, _ node: OnnxNode, _ scope: Scope) throws(ApusError) {
        guard node.inputs.count <= function.inputs.count, node.outputs.count <= function.outputs.count else {
            throw .file("node '\(node.label)' gives \(node.inputs.count) inputs to a function of \(function.inputs.count)")
        }
        let inner = Scope(operatorSets: function.operatorSets, depth: scope.depth + 1)
        inner.attributes = function.defaults.merging(node.attributes) { $1 }
        for (formal, actual) in zip(function.inputs, node.inputs) where !actual.isEmpty {
            guard let entry = scope.find(actual) else {
                throw .file("node '\(node.label)' reads '\(actual)', which nothing before it makes")
            }
            inner.values[formal] = entry
        }
        for formal in function.inputs.dropFirst(node.inputs.count) { inner.absent.insert(formal) }
        for (formal, actual) in zip(function.inputs, node.inputs) where actual.isEmpty { inner.absent.insert(formal) }
        try importNodes(function.nodes.map { $0.leavingOut(inner.absent) }, inner)
        for (formal, actual) in zip(function.outputs, node.outputs) where !actual.isEmpty {
            guard let entry = inner.find(formal) else { throw .file("no node makes '\(formal)' of '\(node.op)'") }
            scope.values[actual] = entry
        }
    }

    // MARK: What is in the way

    private func block(_ node: OnnxNode, _ scope: Scope, _ reason: String, inputs: Set<String> = []) {
        var shapes: [String] = []
        for name in node.inputs where !name.isEmpty {
            if case .value(let value) = scope.find(name) { shapes.append(value.types[0].description) } else { shapes.append("?") }
        }
        blocks.append(
            OnnxBlock(
                node: node, version: scope.operatorSets[node.domain] ?? 0, shapes: shapes, reason: reason,
                fix: inputs.filter { options.fixed[$0] == nil }.sorted()))
        poison(node, scope)
    }

    /// The outputs of a node that cannot be imported: of their declared types, so that what reads them is looked at too.
    private func poison(_ node: OnnxNode, _ scope: Scope) {
        for name in node.outputs where !name.isEmpty {
            scope.values[name] = .blocked
            guard let info = model.graph.valueInfos.first(where: { $0.name == name }), let dtype = info.elementType.dtype,
                let extents = info.extents, extents.count <= Shape.maximumRank
            else { continue }
            var shape = Shape()
            for case .fixed(let size) in extents { shape.append(size) }
            guard shape.rank == extents.count, let term = try? emitter.placeholder(TensorType(dtype, shape)) else { continue }
            scope.values[name] = .value(ImportedValue(term))
        }
    }
}

extension OnnxNode {
    /// With references to the attributes of a function replaced by them.
    func resolving(_ attributes: [String: OnnxAttribute]) -> OnnxNode {
        var node = self
        for (name, value) in self.attributes {
            if case .reference(let source) = value { node.attributes[name] = attributes[source] }
        }
        return node
    }

    func leavingOut(_ absent: Set<String>) -> OnnxNode {
        var node = self
        node.inputs = inputs.map { absent.contains($0) ? "" : $0 }
        return node
    }
}

extension OnnxModel {
    /// Inputs that stay inputs or become states: neither initializers nor fixed.
    func symbolicInputs(_ options: OnnxOptions) -> [OnnxValueInfo] {
        let names = Set(graph.initializers.map { $0.name })
        return graph.inputs.filter {
            (!names.contains($0.name) || options.states[$0.name] != nil) && options.fixed[$0.name] == nil && $0.kind == .tensor
        }
    }
}

extension OnnxValueInfo.Extent {
    /// The name of a symbolic dimension; one without a name is called by its place.
    func symbol(of input: OnnxValueInfo, _ axis: Int) -> String? {
        switch self {
        case .fixed: nil
        case .named(let name): name
        case .unknown: "\(input.name)_\(axis)"
        }
    }
}
