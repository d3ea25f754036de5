import ApusGraph
import ApusRuntime
import XCTest

@testable import Apus

/// Six small models that together use every field of the format: what is mutated to see what a broken file can do.
/// Weights are few, so that every bit can be flipped.
enum HostileModels {
    static var all: [(name: String, make: () throws -> Graph)] {
        [
            ("mlp", mlp), ("images", images), ("residual", residual), ("training", training), ("symbols", symbols),
            ("metadata", metadata),
        ]
    }

    /// Dense layers over packed panels.
    static func mlp() throws -> Graph {
        try ModelLibrary.mlp(input: 3, hidden: [5], outputs: 2, activation: .geluTanh).exportGraph(maximumBatch: 3)
    }

    /// Convolution, batch norm and pools, as the training core emits them.
    static func images() throws -> Graph {
        try Sequential(input: [7, 6, 2], name: "images") {
            Conv2D(3, kernel: 3, stride: 2, padding: .same)
            BatchNorm()
            ReLU()
            MaxPool2D(2, stride: 1)
            AvgPool2D(2, stride: 1, padding: .same)
            GlobalAvgPool2D()
            Softmax()
        }.inferenceGraph(maximumBatch: 2)
    }

    /// Depthwise and transposed convolutions and a residual, folded and fused.
    static func residual() throws -> Graph {
        try Sequential(input: [5, 5, 2], name: "residual") {
            Residual(activation: .relu) {
                DepthwiseConv2D(kernel: 3, padding: .same)
                BatchNorm()
                Conv2D(2, kernel: 1, padding: .same)
            }
            Conv2DTranspose(3, kernel: 2, stride: 2)
            Flatten()
            Dense(2)
        }.exportGraph(maximumBatch: 2)
    }

    /// A training step over states, and a second function over the same states.
    static func training() throws -> Graph {
        let network = try Sequential(input: [4, 4, 1], name: "training") {
            Conv2D(2, kernel: 3)
            BatchNorm()
            ReLU()
            MaxPool2D(2)
            Flatten()
            Dropout(0.25)
            Dense(3)
        }
        let graph = try TrainingProgram(
            network, losses: [SparseCategoricalCrossEntropy(fromLogits: true)],
            optimizer: Adam(clipping: .globalNorm(1)), .init(maximumBatch: 2)
        ).graph
        let builder = GraphBuilder(graph, function: "norm")
        let weights = graph.states.indices.filter { graph.states[$0].type.dtype == .f32 }.map { builder.state($0) }
        builder.output("norm", try builder.node(GlobalNorm(), weights)[0])
        builder.finish()
        return graph
    }

    /// Two symbolic dimensions through everything that moves and reduces.
    static func symbols() throws -> Graph {
        let graph = Graph("symbols")
        graph.dimensions = [SymbolicDimension("batch", 1...5), SymbolicDimension("length", 2...4)]
        let b = GraphBuilder(graph, function: "predict")
        let x = try b.input("x", TensorType(.f32, [-1, -2, 3]))
        let indices = try b.input("indices", TensorType(.i32, [2]))
        let table = try b(ApusGraph.Transpose([1, 0, 2]), x)
        let rows = try b(Gather(axis: 0), table, indices)
        let joined = try b(ApusGraph.Concat(axis: 0), table, rows)
        let parts = try b.node(Split(axis: 2, sizes: [1, 2]), [joined])
        let padded = try b(Pad(before: [1, 0, 0], after: [0, 0, 2], mode: .edge), parts[0])
        let sliced = try b(Slice(axes: [0, 2], starts: [-2, 0], ends: [Int(Int32.max), 2], steps: [1, 1]), padded)
        let sum = try b(Reduction(.sum, axes: [0], keepDimensions: true), parts[1])
        let chosen = try b(Where(), b(.greater, sliced, sum), b(.exp, sliced), b(Reduction(.max, axes: [0, 1]), parts[1]))
        let flat = try b(Reshape([-1, 2]), chosen)
        let product = try b(MatMul(transposeB: true), flat, flat)
        let hot = try b(OneHot(depth: 4), try b(ArgMax(axis: 2), joined))
        let normal = try b(ApusGraph.Softmax(axis: 0), try b(Reduction(.mean, axes: [2]), hot))
        b.output("product", try b(Reduction(.min), product))
        b.output("count", try b(Cast(.i64), try b(Reduction(.sum), normal)))
        b.output("rows", rows, type: TensorType(.f32, [2, -1, 3]))
        b.finish()
        return graph
    }

    /// f16 panels, golden pairs, metadata, labels, an input contract and quantized values.
    static func metadata() throws -> Graph {
        let network = try Sequential(input: [4], name: "metadata") { Dense(3, activation: .sigmoid) }
        network.classNames = ["one", "two", "three"]
        network.metadata = [("author", "nobody"), ("", "Ä")]
        let graph = try network.exportGraph(maximumBatch: 2, options: ExportOptions(weights: .f16))
        var contract = InputContract()
        contract.layout = "NC"
        contract.color = "GRAY"
        contract.rawRange = 0...255
        contract.scale = 1 / 255
        contract.mean = [0.5, 0.25, 0.125, 0]
        contract.std = [1, 2, 3, 4]
        graph.functions[0].inputs[0].contract = contract
        let channels = Quantization(granularity: .perChannel(axis: 1), scales: [1, 0.5], zeroPoints: [0, -3])
        graph.constants.append(
            Constant("bytes", TensorType(.i8, [3, 2], quantization: channels), HeapStorage([1, 2, 3, 4, 5, 6])))
        let blocks = Quantization(granularity: .perBlock(axis: 0, size: 32), scales: [1, 0.5])
        graph.constants.append(
            Constant("nibbles", TensorType(.i4, [33], quantization: blocks), HeapStorage(size: 17)))
        let builder = GraphBuilder(graph, function: "copy")
        let whole = Quantization(scales: [0.25], zeroPoints: [128])
        let bytes = try builder.input("bytes", TensorType(.u8, [-1, 2], quantization: whole))
        builder.output("bytes", bytes)
        builder.finish()
        try Goldens.add(to: graph)
        return graph
    }
}
