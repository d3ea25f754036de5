import ApusGraph
import ApusRuntime

/// Where NaN or infinity first appears in a training step: the step run once more with every value kept.
struct NonFiniteSearch {
    private let graph: Graph
    private let batch: Batch
    private let states: [Bool]
    /// Per local of the function, whether it is finite.
    private let locals: [Bool]
    /// The node that makes each local; nil for inputs.
    private let maker: [Int?]

    /// Runs the step from the trainer's states, which stay as they are.
    init(_ trainer: Trainer, _ batch: Batch, learningRate: Double) throws(ApusError) {
        let graph = trainer.program.graph
        self.graph = graph
        self.batch = batch
        states = trainer.finiteStates()
        let function = graph.functions[0]
        var maker: [Int?] = function.inputs.map { _ in nil }
        for (index, node) in function.nodes.enumerated() {
            for _ in 0..<node.op.outputCount { maker.append(index) }
        }
        self.maker = maker
        let (whole, kept) = try NonFiniteSearch.keepingEveryValue(graph, samples: batch.count)
        let session = try Session(try ApusRuntime.Model(whole))
        defer { session.destroy() }
        for index in graph.states.indices {
            session.state(index).copyMemory(from: UnsafeRawBufferPointer(trainer.session.state(index)))
        }
        try trainer.bind(batch, learningRate: learningRate, to: session)
        try session.run()
        var locals = [Bool](repeating: true, count: maker.count)
        for edge in [Session.Edge.input, .output] {
            for index in 0..<(edge == .input ? function.inputs.count : kept.count) {
                let type = try session.type(edge, function: 0, index)
                let address = try session.address(edge, function: 0, index)
                locals[edge == .input ? index : kept[index]] = FloatScan.isFinite(
                    UnsafeRawBufferPointer(start: address, count: type.byteSize), type.dtype)
            }
        }
        self.locals = locals
    }

    /// The graph for this many samples with every value of a node as an output; `kept` are the outputs' locals.
    private static func keepingEveryValue(
        _ graph: Graph, samples: Int
    ) throws(ApusError) -> (Graph, kept: [Int]) {
        let whole = Graph(graph.name)
        whole.dimensions = graph.dimensions.map { SymbolicDimension($0.name, samples...samples) }
        whole.constants = graph.constants
        whole.states = graph.states
        var function = graph.functions[0]
        let types = try ValidGraph(validating: graph).types(
            ofFunction: 0, dimensions: graph.dimensions.map { _ in samples })
        function.updates = []
        function.outputs = []
        var kept: [Int] = []
        for local in function.inputs.count..<types.count where types[local].layout == .plain {
            kept.append(local)
            function.outputs.append(FunctionOutput("local_\(local)", .local(local), types[local]))
        }
        whole.functions = [function]
        return (whole, kept)
    }

    /// One clause that names the node, parameter or input; nil where all is finite when run again.
    func cause() throws(ApusError) -> String? {
        let function = graph.functions[0]
        var start = function.outputs[0].operand
        if isFinite(start) {
            // The loss is finite, so an update is not: the earliest of them.
            let broken = function.updates.map { $0.local }.filter { !locals[$0] }
            guard let first = broken.min() else { return nil }
            start = .local(first)
        }
        return try describe(origin(of: start))
    }

    /// Follows values that are not finite back to one whose sources all are, the earliest.
    private func origin(of operand: Operand) -> Operand {
        var origins: [Operand] = []
        var waiting = [operand]
        var seen = [Bool](repeating: false, count: locals.count)
        while let next = waiting.popLast() {
            guard case .local(let local) = next, let node = maker[local] else {
                origins.append(next)
                continue
            }
            if seen[local] { continue }
            seen[local] = true
            let sources = graph.functions[0].nodes[node].inputs.filter { !isFinite($0) }
            if sources.isEmpty { origins.append(next) }
            waiting += sources
        }
        return origins.min { rank($0) < rank($1) } ?? operand
    }

    private func isFinite(_ operand: Operand) -> Bool {
        switch operand {
        case .constant(let i): FloatScan.isFinite(graph.constants[i].bytes, graph.constants[i].type.dtype)
        case .state(let i): states[i]
        case .local(let i): locals[i]
        }
    }

    /// States and inputs come before nodes.
    private func rank(_ operand: Operand) -> Int {
        if case .local(let local) = operand { return local }
        return -1
    }

    private func describe(_ operand: Operand) throws(ApusError) -> String {
        switch operand {
        case .constant(let i): return "'\(graph.constants[i].name)' is not finite"
        case .state(let i): return "'\(graph.states[i].name)' is not finite"
        case .local(let i):
            if let node = maker[i] {
                let found = graph.functions[0].nodes[node]
                return "first not finite in '\(found.name)' (\(found.op.name))"
            }
            let name = graph.functions[0].inputs[i].name
            let tensors = batch.inputs + batch.targets
            guard i < tensors.count else { return "'\(name)' is not finite" }
            for row in 0..<batch.count {
                let sample = try tensors[i].tensor.rows(row..<row + 1)
                if !sample.withUnsafeBytes({ FloatScan.isFinite($0, sample.dtype) }) {
                    return "'\(name)' of sample \(batch.indices[row]) is not finite"
                }
            }
            return "'\(name)' is not finite"
        }
    }
}

/// Looks for NaN and infinity in memory.
enum FloatScan {
    /// True for types that have neither.
    static func isFinite(_ bytes: UnsafeRawBufferPointer, _ dtype: DType) -> Bool {
        switch dtype {
        case .f32: bytes.bindMemory(to: Float.self).allSatisfy { $0.isFinite }
        case .f64: bytes.bindMemory(to: Double.self).allSatisfy { $0.isFinite }
        case .f16: bytes.bindMemory(to: Float16.self).allSatisfy { $0.isFinite }
        case .bf16: bytes.bindMemory(to: UInt16.self).allSatisfy { $0 & 0x7F80 != 0x7F80 }
        default: true
        }
    }
}

extension Trainer {
    func stateName(_ index: Int) -> String { program.graph.states[index].name }

    /// Per state, whether all of it is finite.
    func finiteStates() -> [Bool] {
        program.graph.states.enumerated().map { index, state in
            FloatScan.isFinite(UnsafeRawBufferPointer(session.state(index)), state.type.dtype)
        }
    }
}
