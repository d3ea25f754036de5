import ApusGraph
import ApusRuntime
import CKernels
import XCTest

@testable import Apus

/// A graph of one function over [batch, …] inputs, built for a test of a rewriting pass.
struct PassFixture {
    let graph: Graph
    let builder: GraphBuilder
    private var random = Philox(seed: 7)

    /// The symbolic dimension "batch" goes from 1 to `batch`.
    init(batch: Int = 4) {
        graph = Graph("fixture")
        graph.dimensions = [SymbolicDimension("batch", 1...batch)]
        builder = GraphBuilder(graph, function: "predict")
    }

    func input(_ name: String, _ shape: [Int]) throws -> Value {
        try builder.input(name, TensorType(.f32, Shape([-1] + shape)))
    }

    /// A constant of random elements in `range`.
    mutating func constant(_ name: String, _ shape: [Int], in range: ClosedRange<Float> = -1...1) throws -> Value {
        let width = range.upperBound - range.lowerBound
        let values = (0..<shape.reduce(1, *)).map { _ in range.lowerBound + width * random.uniform() }
        return constant(name, try Tensor(values, shape: shape))
    }

    func constant(_ name: String, _ tensor: Tensor) -> Value {
        guard case .constant(let index) = graph.append(tensor.constant(name)) else { fatalError() }
        return builder.constant(index)
    }

    /// gamma, beta, mean, variance
    mutating func batchNorm(_ x: Value, _ channels: Int, _ name: String = "norm") throws -> Value {
        let vectors = [
            try constant("gamma", [channels]), try constant("beta", [channels]), try constant("mean", [channels]),
            try constant("variance", [channels], in: 0.5...2),
        ]
        return try builder.node(ApusGraph.BatchNorm(), [x] + vectors, name: name)[0]
    }

    /// Declares the outputs and adds the function to the graph.
    func finish(_ outputs: Value...) {
        for (i, output) in outputs.enumerated() { builder.output("output_\(i)", output) }
        builder.finish()
    }
}

extension Graph {
    /// The operators in order, such as "Conv2D+ReLU" for one with a fused activation.
    var operations: [String] {
        functions[0].nodes.map { node in
            let product = Product(node)
            let activation = product.map { $0.activation == .none ? "" : "+\($0.activation.name)" } ?? ""
            return node.op.name + (product?.residual == nil ? "" : "+residual") + activation
        }
    }

    /// The outputs for inputs drawn from a seed, at the smallest and the largest batch.
    func answers(isa: ck_isa? = nil) throws -> [[Tensor]] {
        try [dimensions.map { $0.minimum }, maxima].map { sizes in
            let inputs = try Goldens.randomInputs(of: self, function: 0, dimensions: sizes, seed: 3)
            var options = SessionOptions()
            options.isa = isa
            let session = try Session(try ApusRuntime.Model(self), options)
            defer { session.destroy() }
            for (symbol, size) in zip(dimensions, sizes) { try session.setDimension(symbol.name, size) }
            for (i, input) in inputs.enumerated() { try session.set(input: i, input) }
            try session.run()
            return try functions[0].outputs.indices.map { try session.tensor(output: $0) }
        }
    }

    /// Runs one pass and checks that the graph stays valid, answers as before within `scaled` of the largest value (0:
    /// bit for bit), and finds nothing more to do.
    func check(_ pass: RewritePass, options: ExportOptions = ExportOptions(), scaled: Double = 0,
        file: StaticString = #filePath, line: UInt = #line
    ) throws -> Int {
        let before = try answers()
        let changes = try pass.run(self, options)
        _ = try ValidGraph(validating: self)
        for (old, new) in zip(before, try answers()) {
            for (x, y) in zip(old, new) {
                if scaled == 0 {
                    XCTAssertEqual(x, y, file: file, line: line)
                } else {
                    let difference = try Difference(y, x)
                    XCTAssertTrue(
                        try Difference.agree(y, x, relative: 0, scaled: scaled), "\(difference)", file: file, line: line)
                }
            }
        }
        XCTAssertEqual(try pass.run(self, options), 0, "a second time", file: file, line: line)
        return changes
    }
}
