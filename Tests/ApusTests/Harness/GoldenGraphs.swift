import ApusGraph
import Foundation

import enum Apus.Packing

/// Small graphs that together use every part of the format: layouts, element types, quantization, symbols, states,
/// updates, several functions, labels, metadata, contracts.
enum GoldenGraphs {
    static func all() throws -> [Graph] {
        [try dense(), try narrow(), try convolution(), try states(), try shapes(), try quantized()]
    }

    /// A multilayer perceptron over a symbolic batch, its matrices in panels.
    private static func dense() throws -> Graph {
        var make = GoldenGraph("dense", batch: 4)
        make.graph.metadata = [("author", "Möwe"), ("task", "three classes")]
        var contract = InputContract()
        contract.layout = "NC"
        contract.rawRange = 0...255
        contract.scale = 1 / 255
        contract.mean = [0.5]
        contract.std = [0.25]
        let weights = try [
            make.weights("hidden/kernel", [10, 20], .panels), make.weights("hidden/bias", [20]),
            make.weights("logits/kernel", [20, 3], .panels), make.weights("logits/bias", [3]),
        ]
        let b = make.function("predict")
        let x = try b.input("x", TensorType(.f32, [-1, 10]), contract: contract)
        let w = weights.map { b.constant($0) }
        let hidden = try b(Dense(activation: .gelu), x, w[0], w[1], name: "hidden")
        let logits = try b(Dense(), hidden, w[2], w[3], name: "logits")
        b.output("logits", logits)
        b.output("probabilities", try b(Softmax(), logits, name: "softmax"), labels: ["red", "green", "blue"])
        b.finish()
        return make.graph
    }

    /// Weights of 16 bits.
    private static func narrow() throws -> Graph {
        var make = GoldenGraph("narrow", batch: 3)
        let weights = try [
            make.weights("dense/kernel", [9, 17], .panels, .f16), make.weights("matmul/b", [17, 4], .panels, .bf16),
            make.weights("conv/kernel", [3, 3, 2, 6], .convPanels(groups: 1), .f16),
        ]
        let b = make.function("predict")
        let x = try b.input("x", TensorType(.f32, [-1, 9])), image = try b.input("image", TensorType(.f32, [-1, 5, 5, 2]))
        let w = weights.map { b.constant($0) }
        let y = try b(MatMul(), b(Dense(hasBias: false, activation: .relu), x, w[0]), w[1])
        b.output("y", y)
        b.output("features", try b(Reduction(.globalAvgPool), b(Conv2D(padding: .same, hasBias: false), image, w[2])))
        b.finish()
        return make.graph
    }

    /// Convolutions of every kind, pools and a residual.
    private static func convolution() throws -> Graph {
        var make = GoldenGraph("convolution", batch: 2)
        let weights = try [
            make.weights("stem/kernel", [3, 3, 3, 8], .convPanels(groups: 1)), make.weights("stem/bias", [8]),
            make.weights("grouped/kernel", [3, 3, 4, 20], .convPanels(groups: 2)), make.weights("grouped/bias", [20]),
            make.weights("depthwise/kernel", [3, 3, 1, 20]),
            make.weights("pointwise/kernel", [1, 1, 20, 20], .convPanels(groups: 1)),
            make.weights("up/kernel", [2, 2, 5, 20]), make.weights("up/bias", [5]),
        ]
        let b = make.function("predict")
        let x = try b.input("image", TensorType(.f32, [-1, 9, 8, 3]))
        let w = weights.map { b.constant($0) }
        let stem = try b(Conv2D(strides: 2, padding: .same, activation: .relu), x, w[0], w[1])
        let grouped = try b(
            Conv2D(
                dilations: Size2D(2, 1), padding: .explicit(top: 2, left: 1, bottom: 2, right: 1), groups: 2,
                activation: .hardSwish), stem, w[2], w[3])
        let depthwise = try b(Conv2D(padding: .same, groups: 20, hasBias: false), grouped, w[4])
        let block = try b(
            Conv2D(hasBias: false, hasResidual: true, activation: .relu6), depthwise, w[5], grouped)
        let up = try b(Conv2DTranspose(strides: 2, activation: .sigmoid), block, w[6], w[7])
        b.output("up", up)
        b.output("max", try b(MaxPool(kernel: 3, strides: 2, padding: .same), block))
        b.output("mean", try b(AvgPool(kernel: 2, padding: .valid), block))
        b.output("features", try b(Reduction(.globalMaxPool), block))
        b.finish()
        return make.graph
    }

    /// Two functions over shared states, one with an initial value; an output that is a state is its value before.
    private static func states() throws -> Graph {
        var make = GoldenGraph("states", batch: 4)
        let initial = make.graph.constants[try make.weights("total", [3])]
        make.graph.constants = []
        make.graph.states = [
            State("total", initial.type, .memory, initial: initial), State("runs", TensorType(.i64, []), .counter),
        ]
        let b = make.function("accumulate")
        let x = try b.input("x", TensorType(.f32, [-1, 3]))
        let total = try b(.add, b.state(0), b(Reduction(.sum, axes: [0]), x), name: "total")
        let runs = try b(.add, b.state(1), b.scalar(1, .i64), name: "runs")
        b.output("shifted", try b(.sub, x, b.state(0)))
        b.output("before", b.state(0))
        b.output("runs", runs)
        try b.update(state: 0, to: total)
        try b.update(state: 1, to: runs)
        b.finish()
        let read = make.function("read")
        read.output("total", try read(.neg, read.state(0)))
        read.finish()
        return make.graph
    }

    /// Movement, choice and integers.
    private static func shapes() throws -> Graph {
        var make = GoldenGraph("shapes", batch: 5)
        let table = try make.weights("table", [2, 6])
        let b = make.function("predict")
        let indices = try b.input("indices", TensorType(.i64, [-1])), x = try b.input("x", TensorType(.f32, [-1, 2, 6]))
        let rows = try b(Gather(), b.constant(table), indices)
        let turned = try b(Transpose([0, 2, 1]), x)
        let parts = try b.node(Split(axis: 1, sizes: [2, 4]), [turned])
        let joined = try b(Concat(axis: 1), parts[1], parts[0])
        let padded = try b(Pad(before: [0, 1, 0], after: [0, 2, 1], mode: .reflect), joined)
        let part = try b(Slice(axes: [1, 2], starts: [-1, 0], ends: [Int(Int32.min), 2], steps: [-2, 1]), padded)
        let mean = try b(Reduction(.mean, axes: [-1], keepDimensions: true), part)
        b.output("part", try b(Where(), b(.greater, part, mean), part, b.scalar(-1, .f32)))
        b.output("best", try b(ArgMax(axis: 1), rows))
        b.output("hot", try b(OneHot(depth: 3, onValue: 2), indices))
        b.output("half", try b(Cast(.f32), b(Cast(.f16), rows)))
        b.output("flat", try b(Flatten(), b(Reshape([0, 3, -1]), x)))
        b.finish()
        return make.graph
    }

    /// Integer weights in every layout and granularity, which a reader must at least know the size of.
    private static func quantized() throws -> Graph {
        var make = GoldenGraph("quantized", batch: 2)
        make.integers("panels", .i8, [7, 18], .panels4, .perChannel(axis: 1), count: 18)
        make.integers("convolution", .i8, [3, 3, 2, 6], .convPanels4(groups: 2), .perChannel(axis: 3), count: 6)
        make.integers("block", .i4, [64, 2], .plain, .perBlock(axis: 0, size: 32), count: 4)
        make.integers("tensor", .u8, [5], .plain, .perTensor, count: 1, zeroPoint: 128)
        let b = make.function("predict")
        b.output("y", try b(.neg, b.input("x", TensorType(.f32, [-1, 2]))))
        b.finish()
        return make.graph
    }
}

/// A graph under construction, with weights that anyone can recompute.
private struct GoldenGraph {
    let graph: Graph

    init(_ name: String, batch: Int) {
        graph = Graph(name)
        graph.producer = "Apus"
        graph.dimensions = [SymbolicDimension("batch", 1...batch)]
    }

    func function(_ name: String) -> GraphBuilder { GraphBuilder(graph, function: name) }

    /// Appends a constant of sin(1), sin(2), … / 2; returns its index.
    mutating func weights(
        _ name: String, _ shape: [Int], _ layout: Layout = .plain, _ dtype: DType = .f32
    ) throws -> Int {
        let values = (0..<shape.reduce(1, *)).map { sin(Double($0 + 1 + 100 * graph.constants.count)) / 2 }
        let plain = TestTensor(.f32, shape, values.map { Double(Float($0)) })
        let constant = Constant(name, plain.type, HeapStorage(plain.bytes))
        graph.constants.append(layout == .plain ? constant : try Packing.pack(constant, as: layout, dtype))
        return graph.constants.count - 1
    }

    /// Appends a quantized constant of the bytes 1, 2, …
    mutating func integers(
        _ name: String, _ dtype: DType, _ shape: [Int], _ layout: Layout, _ granularity: Quantization.Granularity,
        count: Int, zeroPoint: Int32? = nil
    ) {
        let quantization = Quantization(
            granularity: granularity, scales: (1...count).map { Float($0) / 128 },
            zeroPoints: zeroPoint.map { [Int32](repeating: $0, count: count) } ?? [])
        let type = TensorType(dtype, Shape(shape), layout: layout, quantization: quantization)
        let bytes = (0..<type.byteSize).map { UInt8(truncatingIfNeeded: $0 + 1) }
        graph.constants.append(Constant(name, type, HeapStorage(bytes)))
    }
}
