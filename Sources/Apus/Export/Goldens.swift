import ApusGraph
import ApusRuntime
import CKernels

/// Golden pairs: inputs, and the outputs that the reference kernels compute for them, or, where that would take long, those
/// of AVX2. A file that carries them can be checked on any machine: `apus verify` replays them with the kernels of that
/// machine.
public enum Goldens {
    /// A pair of more input bytes than these is stored with the smallest dimensions only.
    private static let sizeLimit = 1 << 18
    /// Likewise where its inputs are more than 1 / share of the constants, and more than `smallSize`.
    private static let share = 10, smallSize = 1 << 12
    /// Arithmetic operations of a pair, past which AVX2 computes it: never more than AVX2, so that its bytes do not depend
    /// on the machine.
    private static let referenceOperations = 1 << 29

    /// Replaces a graph's pairs by one or two for every function, with inputs drawn from `seed` within their contracts.
    public static func add(to graph: Graph, seed: UInt64 = 0) throws(ApusError) {
        graph.goldens = []
        let smallest = graph.dimensions.map { $0.minimum }
        let larger = graph.dimensions.map { min($0.maximum, max(3, $0.minimum)) }
        for function in graph.functions.indices {
            try append(to: graph, function, smallest, Philox(seed: seed, stream: UInt64(2 * function)))
            var size = 0
            for input in graph.functions[function].inputs { size += try input.type.resolved(larger).byteSize }
            if larger != smallest && isWorthStoring(graph, size) {
                try append(to: graph, function, larger, Philox(seed: seed, stream: UInt64(2 * function + 1)))
            }
        }
    }

    /// Replaces a graph's pairs by one of given inputs to its first function, which fix the symbolic dimensions.
    public static func add(to graph: Graph, samples: [Tensor]) throws(ApusError) {
        graph.goldens = []
        let function = graph.functions[0]
        guard samples.count == function.inputs.count else {
            throw .shape("\(samples.count) golden inputs, wanted \(function.inputs.count)")
        }
        let dimensions = graph.dimensions(function: 0, of: samples)
        for (input, sample) in zip(function.inputs, samples) {
            let wanted = try input.type.resolved(dimensions)
            guard wanted == sample.type else {
                throw .shape("golden input '\(input.name)' given as \(sample), wanted \(wanted)")
            }
        }
        let inputs = zip(function.inputs, samples).map { $1.constant($0.name) }
        graph.goldens = [try pair(graph, 0, dimensions, inputs)]
    }

    private static func isWorthStoring(_ graph: Graph, _ size: Int) -> Bool {
        let constants = graph.constants.reduce(0) { $0 + $1.type.byteSize }
        return size <= sizeLimit && size <= max(smallSize, constants / share)
    }

    /// Computes the outputs of a graph's pairs again, from their inputs. A function's first pair stays, others where they are
    /// worth storing.
    public static func refresh(_ graph: Graph) throws(ApusError) {
        let old = graph.goldens
        var new: [Golden] = []
        var seen: Set<Int> = []
        for golden in old {
            let size = golden.inputs.reduce(0) { $0 + $1.type.byteSize }
            guard seen.insert(golden.function).inserted || isWorthStoring(graph, size) else { continue }
            new.append(try pair(graph, golden.function, golden.dimensions, golden.realInputs(graph)))
        }
        graph.goldens = new
    }

    /// What a graph computes for a pair's inputs now, with the kernels of an instruction set.
    public static func replay(
        _ golden: Golden, of graph: Graph, isa: ck_isa? = nil, threads: Int = 1
    ) throws(ApusError) -> [Constant] {
        try run(graph, golden.function, golden.dimensions, golden.realInputs(graph), isa, threads).outputs
    }

    /// Inputs for a function, drawn from `seed` within their contracts.
    public static func randomInputs(
        of graph: Graph, function: Int, dimensions: [Int], seed: UInt64 = 0
    ) throws(ApusError) -> [Tensor] {
        var random = Philox(seed: seed, stream: UInt64(function))
        var tensors: [Tensor] = []
        for input in graph.functions[function].inputs {
            tensors.append(try Tensor(draw(input, try input.type.resolved(dimensions), &random)))
        }
        return tensors
    }

    // MARK: Making

    private static func append(
        to graph: Graph, _ function: Int, _ dimensions: [Int], _ random: Philox
    ) throws(ApusError) {
        var random = random
        var inputs: [Constant] = []
        for input in graph.functions[function].inputs {
            inputs.append(draw(input, try input.type.resolved(dimensions), &random))
        }
        graph.goldens.append(try pair(graph, function, dimensions, inputs))
    }

    private static func pair(
        _ graph: Graph, _ function: Int, _ dimensions: [Int], _ inputs: [Constant]
    ) throws(ApusError) -> Golden {
        let (outputs, dimensions) = try run(graph, function, dimensions, inputs, try isa(graph, function, dimensions), 1)
        let stored = inputs.enumerated().map { Golden.stored($1, $0, graph.functions[function]) }
        return Golden(
            function: function, dimensions: dimensions, inputs: stored, outputs: outputs,
            relativeTolerance: GoldenTolerance.relative,
            absoluteTolerance: GoldenTolerance.absolute(graph.functions[function], outputs))
    }

    private static func isa(_ graph: Graph, _ function: Int, _ dimensions: [Int]) throws(ApusError) -> ck_isa {
        var limits = graph.maxima
        for (i, isMeasured) in graph.measuredDimensions.enumerated() where !isMeasured { limits[i] = dimensions[i] }
        let options = PlanOptions(limits: limits, isa: CK_ISA_REFERENCE, lanes: 1)
        let goldens = graph.goldens
        graph.goldens = []
        defer { graph.goldens = goldens }
        let plan = try Plan(try ValidGraph(validating: graph), function: function, options)
        let isSmall = plan.steps.reduce(0) { $0 + $1.operations } <= referenceOperations
        return isSmall || ck_isa_native().rawValue < CK_ISA_AVX2.rawValue ? CK_ISA_REFERENCE : CK_ISA_AVX2
    }

    private static func run(
        _ graph: Graph, _ function: Int, _ dimensions: [Int], _ inputs: [Constant], _ isa: ck_isa?,
        _ threads: Int
    ) throws(ApusError) -> (outputs: [Constant], dimensions: [Int]) {
        // The pairs are no part of what runs, and may not be valid yet.
        let goldens = graph.goldens
        graph.goldens = []
        defer { graph.goldens = goldens }
        var options = SessionOptions()
        options.isa = isa
        options.threads = threads
        let isMeasured = graph.measuredDimensions
        for (i, dimension) in graph.dimensions.enumerated() where !isMeasured[i] {
            options.dimensionLimits.append((dimension.name, dimensions[i]))
        }
        let session = try Session(try ApusRuntime.Model(graph), options)
        defer { session.destroy() }
        for (i, input) in inputs.enumerated() { try session.setInput(function: function, i, input.bytes) }
        try session.run(function: function)
        var outputs: [Constant] = []
        for (i, output) in graph.functions[function].outputs.enumerated() {
            let type = try session.type(.output, function: function, i)
            let storage = HeapStorage(size: type.byteSize)
            let bytes = UnsafeMutableRawBufferPointer(start: storage.memory, count: type.byteSize)
            try session.getOutput(function: function, i, bytes)
            outputs.append(Constant(output.name, type, storage))
        }
        return (outputs, session.dimensions)
    }

    // MARK: Inputs

    /// Raw values uniform over the contract's range, taken through its scale, mean and deviation; without a contract
    /// reals in −1 ..< 1 and integers 0 or 1, which are indices into nearly everything.
    private static func draw(_ input: FunctionInput, _ type: TensorType, _ random: inout Philox) -> Constant {
        let storage = HeapStorage(size: type.byteSize)
        let contract = input.contract ?? InputContract()
        let hasRange = contract.rawRange.lowerBound < contract.rawRange.upperBound
        let channels = max(1, type.shape.last)
        func real(_ index: Int) -> Float {
            guard hasRange else { return 2 * random.uniform() - 1 }
            let width = contract.rawRange.upperBound - contract.rawRange.lowerBound
            let raw = contract.rawRange.lowerBound + random.uniform() * width
            func perChannel(_ values: [Float], _ otherwise: Float) -> Float {
                values.isEmpty ? otherwise : values[index % channels % values.count]
            }
            return (raw * contract.scale - perChannel(contract.mean, 0)) / perChannel(contract.std, 1)
        }
        func integer() -> Int {
            let range = hasRange ? contract.rawRange : 0...1
            let lower = Int(max(range.lowerBound, -1e9)), upper = Int(min(range.upperBound, 1e9))
            return lower + Int(random.next32()) % (upper - lower + 1)
        }
        func fill<T>(_ type: T.Type, _ value: (Int) -> T) {
            let elements = storage.memory.bindMemory(to: T.self, capacity: storage.bytes.count / MemoryLayout<T>.stride)
            for i in 0..<storage.bytes.count / MemoryLayout<T>.stride { elements[i] = value(i) }
        }
        switch type.dtype {
        case .f32: fill(Float.self, real)
        case .f64: fill(Double.self) { Double(real($0)) }
        case .f16, .bf16: break
        case .i64: fill(Int64.self) { _ in Int64(integer()) }
        case .i32: fill(Int32.self) { _ in Int32(clamping: integer()) }
        case .i16: fill(Int16.self) { _ in Int16(clamping: integer()) }
        case .u16: fill(UInt16.self) { _ in UInt16(clamping: integer()) }
        case .i8: fill(Int8.self) { _ in Int8(clamping: integer()) }
        case .u8: fill(UInt8.self) { _ in UInt8(clamping: integer()) }
        case .bool: fill(UInt8.self) { _ in UInt8(random.next32() & 1) }
        case .i4, .u4: fill(UInt8.self) { _ in UInt8(random.next32() & 0x77) }
        }
        return Constant(input.name, type, storage)
    }
}
