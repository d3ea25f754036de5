import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus

/// y[t] = x[t] − x[t − 1].
private final class Difference: Layer {
    override var runsStepByStep: Bool { true }

    override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = inputs[0], last = x.shape[1]
        let padded: Value
        if context.phase == .step {
            padded = try context(ApusGraph.Concat(axis: 1), try context.memory("last", [1, 1, x.shape[2]]), x)
            try context.remember("last", try context(Slice(axes: [1], starts: [last], ends: [last + 1]), padded))
        } else {
            padded = try context(Pad(before: [0, 1, 0], after: [0, 0, 0]), x)
        }
        return [try context(.sub, x, try context(Slice(axes: [1], starts: [0], ends: [last]), padded))]
    }
}

/// Causal attention of x to itself in two heads.
private final class SelfAttention: Layer {
    override var runsStepByStep: Bool { true }

    override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        let x = inputs[0]
        guard context.phase == .step else {
            return [try context(Attention(heads: 2, scale: 0.5, isCausal: true), x, x, x)]
        }
        return [try context.cachedAttention(x, x, x, heads: 2, scale: 0.5)]
    }
}

/// A layer that reads a memory and forgets to write it.
private final class Forgetful: Layer {
    override var runsStepByStep: Bool { true }

    override func call(_ inputs: [Value], _ context: LayerContext) throws(ApusError) -> [Value] {
        context.phase == .step ? [try context(.add, inputs[0], try context.memory("m", [1]))] : inputs
    }
}

/// A network that runs whole and step by step gives the same bits.
final class StreamTests: XCTestCase {
    private static let length = 24

    private func network() throws -> Network {
        try Sequential(input: [StreamTests.length, 8], seed: 5) {
            Apus.Dense(12)
            SelfAttention()
            Difference()
            Apus.LayerNorm()
            SelfAttention()
            Apus.Dense(5, activation: .tanh)
        }
    }

    private func sequence(_ count: Int = StreamTests.length) throws -> Tensor {
        var random = Philox(seed: 9)
        return try Tensor((0..<count * 8).map { _ in 2 * random.uniform() - 1 }, shape: [1, count, 8])
    }

    /// Runs the chunks of x from `start` through a stream and returns the rows of output.
    private func stream(_ session: Session, _ x: Tensor, from start: Int = 0, chunk: Int = 1) throws -> [Float] {
        let function = session.model.graph.functionIndex(StepOptions.functionName(chunk: chunk))!
        let elements = try x.array(of: Float.self)
        var rows: [Float] = []
        for t in stride(from: start, to: x.shape[1], by: chunk) {
            let part = try Tensor(Array(elements[t * 8..<(t + chunk) * 8]), shape: [1, chunk, 8])
            try session.set(function: function, input: 0, part)
            try session.run(function: function)
            rows += try session.tensor(function: function, output: 0).array(of: Float.self)
        }
        return rows
    }

    private func session(_ graph: Graph, threads: Int = 1) throws -> Session {
        var options = SessionOptions()
        options.threads = threads
        return try Session(try Model(graph), options)
    }

    func testWholeIsStepByStep() throws {
        let network = try network(), x = try sequence()
        let whole = try network.predict(x).array(of: Float.self)
        let graph = try network.exportGraph(steps: StepOptions(chunks: [1, 3, 24]))
        for threads in [1, 2] {
            for chunk in [1, 3, 24] {
                let session = try session(graph, threads: threads)
                defer { session.destroy() }
                XCTAssertEqual(try stream(session, x, chunk: chunk), whole, "chunks of \(chunk), \(threads) threads")
            }
        }
    }

    func testTheFunctionsContinueOneStream() throws {
        let network = try network(), x = try sequence(), elements = try x.array(of: Float.self)
        let whole = try network.predict(x).array(of: Float.self)
        let session = try session(try network.exportGraph(steps: StepOptions(chunks: [1, 3])))
        defer { session.destroy() }
        let beginning = try Tensor(Array(elements[..<(9 * 8)]), shape: [1, 9, 8])
        let rows = try stream(session, beginning, chunk: 3)
        XCTAssertEqual(rows + (try stream(session, x, from: 9)), whole)
    }

    func testAStreamIsSavedLoadedAndForked() throws {
        let network = try network(), x = try sequence(), elements = try x.array(of: Float.self)
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("stream-\(getpid()).apus").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try network.export(to: path, steps: StepOptions())
        let whole = try network.predict(x).array(of: Float.self)
        let first = try Session(try Model(path: path))
        defer { first.destroy() }
        let rows = try stream(first, try Tensor(Array(elements[..<(10 * 8)]), shape: [1, 10, 8]))
        var saved = [UInt8](repeating: 0, count: first.statesSize)
        try saved.withUnsafeMutableBytes { try first.saveStates($0) }
        let fork = try Session(try Model(path: path), SessionOptions())
        defer { fork.destroy() }
        try fork.copyStates(from: first)
        first.resetStates()
        XCTAssertEqual(rows + (try stream(fork, x, from: 10)), whole, "the fork")
        try saved.withUnsafeBytes { try first.loadStates($0) }
        XCTAssertEqual(rows + (try stream(first, x, from: 10)), whole, "the states loaded again")
    }

    /// Past its context a stream forgets the oldest element with each that comes.
    func testARingOfEightElements() throws {
        let network = try Sequential(input: [40, 8], seed: 5) { SelfAttention() }
        let x = try sequence(40)
        let short = try session(try network.exportGraph(steps: StepOptions(context: 8)))
        defer { short.destroy() }
        let rows = try stream(short, x)
        XCTAssertEqual(Array(rows[..<(8 * 8)]), Array(try network.predict(x).array(of: Float.self)[..<(8 * 8)]))
        let window = try Sequential(input: [8, 8], seed: 5) { SelfAttention() }
        let last = try window.predict(try Tensor(Array(try x.array(of: Float.self)[(32 * 8)...]), shape: [1, 8, 8]))
        for (found, wanted) in zip(rows[(39 * 8)...], try last.array(of: Float.self)[(7 * 8)...]) {
            XCTAssertEqual(found, wanted, accuracy: 1e-5)
        }
    }

    func testNarrowCachesComeNear() throws {
        let network = try network(), x = try sequence()
        let whole = try network.predict(x).array(of: Float.self)
        for (type, bound) in [(DType.f16, Float(0.02)), (.bf16, 0.15), (.i8, 0.15)] {
            let session = try session(try network.exportGraph(steps: StepOptions(cache: type)))
            defer { session.destroy() }
            XCTAssertEqual(session.model.graph.states.filter { $0.type.dtype == type }.count, 4)
            for (found, wanted) in zip(try stream(session, x), whole) { XCTAssertEqual(found, wanted, accuracy: bound) }
        }
    }

    /// Codes and their scales are states like others: in any chunks, saved, loaded and forked, a stream has the same bits.
    func testACacheOfCodesIsAState() throws {
        let options = StepOptions(chunks: [1, 3], context: 15, cache: .i8)
        let graph = try network().exportGraph(steps: options), x = try sequence()
        let elements = try x.array(of: Float.self), half = try Tensor(Array(elements[..<(12 * 8)]), shape: [1, 12, 8])
        let first = try session(graph), second = try session(graph)
        defer {
            first.destroy()
            second.destroy()
        }
        XCTAssertEqual(graph.states.filter { $0.name.hasSuffix("_scales") && $0.type == TensorType(.f32, [1, 2, 15]) }.count, 4)
        let whole = try stream(first, x)
        first.resetStates()
        XCTAssertEqual(try stream(first, x, chunk: 3), whole)
        first.resetStates()
        let rows = try stream(first, half)
        try second.copyStates(from: first)
        var saved = [UInt8](repeating: 0, count: first.statesSize)
        try saved.withUnsafeMutableBytes { try first.saveStates($0) }
        XCTAssertEqual(rows + (try stream(second, x, from: 12)), whole, "the fork")
        first.resetStates()
        try saved.withUnsafeBytes { try first.loadStates($0) }
        XCTAssertEqual(rows + (try stream(first, x, from: 12)), whole, "the states loaded again")
    }

    /// Weights lie in the file once, whoever reads them.
    func testFunctionsShareTheirWeights() throws {
        let network = try Sequential(input: [StreamTests.length, 8], seed: 5) {
            Apus.Dense(12, usesBias: false)
            BatchNorm()
            SelfAttention()
            Apus.Dense(5)
        }
        let alone = try network.exportGraph(), together = try network.exportGraph(steps: StepOptions(chunks: [1, 2]))
        let large = { (graph: Graph) in graph.constants.map { $0.type.byteSize }.filter { $0 > 64 }.sorted() }
        XCTAssertEqual(large(alone), large(together))
        XCTAssertEqual(together.functions.map { $0.name }, ["predict", "step", "step_2"])
    }

    /// The step functions of a quantized model read the quantized weights, and give what its `predict` gives.
    func testQuantizedStreams() throws {
        let network = try Sequential(input: [StreamTests.length, 8], seed: 5) {
            Apus.Dense(64)
            SelfAttention()
            Apus.Dense(48)
            Apus.Dense(5)
        }
        let x = try sequence(), graph = try network.exportGraph(steps: StepOptions(chunks: [1, 3]))
        for scheme in [QuantizationScheme.w8, .w4, .w4Dynamic, .int8Dynamic, .f16] {
            let quantized = try Quantizer(graph, QuantizationOptions(scheme)).quantized()
            XCTAssertEqual(quantized.functions.map { $0.name }, ["predict", "step", "step_3"], scheme.rawValue)
            XCTAssertEqual(quantized.constants.count { $0.name.hasSuffix("kernel") }, 3, scheme.rawValue)
            let whole = try Runner(quantized, threads: 1).run([x])[0].array(of: Float.self)
            for chunk in [1, 3] {
                let session = try session(quantized)
                defer { session.destroy() }
                XCTAssertEqual(try stream(session, x, chunk: chunk), whole, "\(scheme.rawValue), chunks of \(chunk)")
            }
        }
        XCTAssertThrowsError(try Quantizer(graph).quantized()) { XCTAssertTrue("\($0)".contains("predict, step, step_3"), "\($0)") }
    }

    func testAStreamAlone() throws {
        let network = try network(), x = try sequence()
        let graph = try network.exportGraph(steps: StepOptions(includesPredict: false))
        XCTAssertEqual(graph.functions.map { $0.name }, ["step"])
        XCTAssertTrue(graph.dimensions.isEmpty)
        let session = try session(graph)
        defer { session.destroy() }
        XCTAssertEqual(try stream(session, x), try network.predict(x).array(of: Float.self))
    }

    func testRefusals() throws {
        func refuses(_ text: String, _ network: Network, _ steps: StepOptions = StepOptions(), line: UInt = #line) {
            XCTAssertThrowsError(try network.exportGraph(steps: steps), line: line) {
                XCTAssertTrue("\($0)".contains(text), "\($0)", line: line)
            }
        }
        let flat = try Sequential(input: [4, 3]) { Flatten() }
        refuses("Flatten needs the whole sequence", flat)
        refuses("'flatten'", flat)
        refuses("a step of 0 elements, wanted 1 ... 24", try network(), StepOptions(chunks: [0]))
        refuses("steps of [2, 2] elements, wanted each length once", try network(), StepOptions(chunks: [2, 2]))
        refuses("a step of 9 elements, wanted 1 ... 8", try network(), StepOptions(chunks: [9], context: 8))
        for context in [.max, 0, -1] {
            refuses("steps that look back on \(context) elements", try network(), StepOptions(context: context))
        }
        refuses("steps of no chunk", try network(), StepOptions(chunks: []))
        refuses("a cache of i32", try network(), StepOptions(cache: .i32))
        refuses("read and never remembered", try Sequential(input: [4, 3]) { Forgetful() })
    }
}
