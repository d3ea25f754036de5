import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus

/// Recurrent layers of quantized models.
final class StateWeightsTests: XCTestCase {
    private static let time = 9

    private func network() throws -> Network {
        try Sequential(input: [StateWeightsTests.time], dtype: .i32, seed: 4) {
            Apus.Embedding(700, 32)
            Apus.GRU(32, returnSequences: true)
            Apus.Bidirectional(Apus.LSTM(48, returnSequences: true))
            Apus.GRU(33, resetAfter: false, returnSequences: true)
            Apus.SimpleRNN(40)
            Apus.Dense(3)
        }
    }

    private func words(_ count: Int, seed: UInt64) throws -> Tensor {
        var random = Philox(seed: seed)
        let ids = (0..<count * StateWeightsTests.time).map { _ in Int32(random.next32() % 700) }
        return try Tensor(ids, shape: [count, StateWeightsTests.time])
    }

    private func layers(_ graph: Graph) -> [RecurrentLayer] { graph.functions[0].nodes.compactMap { $0.op as? RecurrentLayer } }

    private func quantizer(_ scheme: QuantizationScheme, _ keepFloat: Set<String> = []) throws -> Quantizer {
        let quantizer = try Quantizer(try network().exportGraph(), QuantizationOptions(scheme, keepFloat: keepFloat))
        for seed in 0..<4 { try quantizer.observe([try words(2, seed: UInt64(seed))]) }
        return quantizer
    }

    func testEverySchemeTakesWeightsOfTheState() throws {
        let x = try words(5, seed: 9), real = try Runner(try network().exportGraph()).run([x])[0].array(of: Float.self)
        let schemes: [(QuantizationScheme, decibels: Double, StateProduct)] = [
            (.int8, 28, .dynamic), (.int8Dynamic, 30, .dynamic), (.w8, 35, .weightOnly()), (.w4, 12, .weightOnly(blockSize: 32)),
            (.w4Dynamic, 12, .weightOnly(blockSize: 32, dynamicActivations: true)),
        ]
        for (scheme, decibels, product) in schemes {
            let graph = try quantizer(scheme).quantized()
            XCTAssertEqual(layers(graph).map { "\($0.stateProduct)" }, [String](repeating: "\(product)", count: 5), scheme.rawValue)
            XCTAssertFalse(graph.constants.contains { $0.type.shape.count > 1000 && $0.type.dtype == .f32 }, scheme.rawValue)
            let outputs = try [1, 2, 7].map { try Runner(graph, threads: $0).run([x])[0].array(of: Float.self) }
            XCTAssertEqual(outputs[0], outputs[1], scheme.rawValue)
            XCTAssertEqual(outputs[0], outputs[2], scheme.rawValue)
            let one = try Runner(graph).run([try words(5, seed: 9).rows(2..<3)])[0].array(of: Float.self)
            XCTAssertEqual(one, Array(outputs[0][6..<9]), scheme.rawValue)
            let noise = zip(real, outputs[0]).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
            let signal = real.reduce(0) { $0 + Double($1 * $1) }
            XCTAssertGreaterThan(10 * log10(signal / noise), decibels, scheme.rawValue)
        }
    }

    func testLayersThatStayReal() throws {
        let names = try network().exportGraph().functions[0].nodes.filter { $0.op is RecurrentLayer }.map { $0.name }
        let graph = try quantizer(.int8Dynamic, [names[0], names[3]]).quantized()
        XCTAssertEqual(layers(graph).map { "\($0.stateProduct)" }, ["real", "dynamic", "dynamic", "real", "dynamic"])
        let small = try Sequential(input: [4, 40], seed: 4) {
            Apus.GRU(31, returnSequences: true)
            Apus.SimpleRNN(32, activation: .gelu)
        }
        let kept = try Quantizer(try small.exportGraph(), QuantizationOptions(.int8Dynamic)).quantized()
        XCTAssertEqual(layers(kept).map { "\($0.stateProduct)" }, ["real", "real"])
    }

    /// Each has a figure of its own, so that a fault in it is named.
    func testTheReportMeasuresThem() throws {
        let quantizer = try quantizer(.int8), samples = [[try words(2, seed: 20)]]
        let figures = try quantizer.isolatedNoise(samples)
        for node in quantizer.real.functions[0].nodes where node.op is RecurrentLayer || node.op is ApusGraph.Gather {
            XCTAssertGreaterThan(figures[node.name] ?? 0, 30, node.name)
        }
    }

    func testWholeIsStepByStep() throws {
        let network = try Sequential(input: [12, 8], seed: 5) {
            Apus.GRU(48, returnSequences: true)
            Apus.LSTM(32, returnSequences: true)
            Apus.GRU(40, resetAfter: false, returnSequences: true)
            Apus.Dense(5)
        }
        var random = Philox(seed: 9)
        let elements = (0..<12 * 8).map { _ in 2 * random.uniform() - 1 }
        let graph = try network.exportGraph(steps: StepOptions(chunks: [1, 4]))
        for scheme in [QuantizationScheme.int8Dynamic, .w8, .w4, .w4Dynamic] {
            let quantized = try Quantizer(graph, QuantizationOptions(scheme)).quantized()
            let whole = try Runner(quantized).run([try Tensor(elements, shape: [1, 12, 8])])[0].array(of: Float.self)
            for chunk in [1, 4] {
                let session = try Session(try Model(quantized))
                defer { session.destroy() }
                let function = quantized.functionIndex(StepOptions.functionName(chunk: chunk))!
                var rows: [Float] = []
                for t in stride(from: 0, to: 12, by: chunk) {
                    try session.set(
                        function: function, input: 0, try Tensor(Array(elements[t * 8..<(t + chunk) * 8]), shape: [1, chunk, 8]))
                    try session.run(function: function)
                    rows += try session.tensor(function: function, output: 0).array(of: Float.self)
                }
                XCTAssertEqual(rows, whole, "\(scheme.rawValue), chunks of \(chunk)")
            }
        }
    }
}
