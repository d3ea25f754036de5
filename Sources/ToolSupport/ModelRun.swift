import Apus
import ApusGraph
import ApusRuntime
import CKernels

/// A model opened by a tool, ready to run one function on tensors.
public final class ModelRun {
    public let model: ApusRuntime.Model
    public let function: Int
    private let session: Session

    public var declaration: Function { model.graph.functions[function] }

    /// - Parameter dimensions: the largest values the symbolic dimensions will take; nil: those of the file.
    public init(
        _ model: ApusRuntime.Model, function: Int, threads: Int = 1, isa: ck_isa? = nil, profile: Bool = false,
        dimensions: [Int]? = nil
    ) throws(ApusError) {
        self.model = model
        self.function = function
        var options = SessionOptions()
        options.threads = threads
        options.isa = isa
        options.profile = profile
        if let dimensions {
            let isMeasured = model.graph.measuredDimensions
            for (i, symbol) in model.graph.dimensions.enumerated() where !isMeasured[i] {
                options.dimensionLimits.append((symbol.name, dimensions[i]))
            }
        }
        session = try Session(model, options)
    }

    deinit { session.destroy() }

    /// The outputs for inputs of the function's types. More samples than the model's largest batch run in parts, of as many
    /// as it has where it fixes them.
    public func outputs(_ inputs: [Tensor]) throws(ApusError) -> [NamedTensor] {
        let samples = inputs.first?.rowCount ?? 1
        guard let limit = largestBatch, samples > limit else { return try run(inputs) }
        var parts: [[NamedTensor]] = []
        for start in stride(from: 0, to: samples, by: limit) {
            var batch: [Tensor] = []
            for input in inputs { batch.append(try input.rows(start..<min(samples, start + limit))) }
            parts.append(try run(batch))
        }
        var results: [NamedTensor] = []
        for (i, output) in declaration.outputs.enumerated() {
            results.append(NamedTensor(output.name, try Tensor.concatenated(parts.map { $0[i].tensor })))
        }
        return results
    }

    /// Sets dimensions and inputs, runs once and copies the outputs.
    public func run(_ inputs: [Tensor]) throws(ApusError) -> [NamedTensor] {
        try set(inputs)
        try session.run(function: function)
        var results: [NamedTensor] = []
        for (i, output) in declaration.outputs.enumerated() {
            results.append(NamedTensor(output.name, try session.tensor(function: function, output: i)))
        }
        return results
    }

    public func set(_ inputs: [Tensor]) throws(ApusError) {
        let sizes = try model.graph.dimensions(ofFunction: function, inputs: inputs)
        let isMeasured = model.graph.measuredDimensions
        for (i, symbol) in model.graph.dimensions.enumerated() where !isMeasured[i] {
            try session.setDimension(symbol.name, sizes[i])
        }
        for (i, input) in inputs.enumerated() { try session.set(function: function, input: i, input) }
    }

    public func runOnly() throws(ApusError) { try session.run(function: function) }

    public func profile() throws(ApusError) -> [ProfileEntry] {
        var entries: [ProfileEntry] = []
        for step in 0..<session.profileCount(function: function) {
            entries.append(try session.profileEntry(function: function, step: step))
        }
        return entries
    }

    public var memorySize: Int { session.memorySize }

    /// What the one symbolic dimension, or the one size, that leads every input and output is at most.
    private var largestBatch: Int? {
        let types = declaration.inputs.map { $0.type } + declaration.outputs.map { $0.type }
        let leading = Set(types.map { $0.shape.rank > 0 ? $0.shape[0] : 0 })
        guard leading.count == 1, let extent = leading.first else { return nil }
        if extent > 0 { return extent }
        return extent == -1 && model.graph.dimensions.count == 1 ? model.graph.dimensions[0].maximum : nil
    }
}

extension Graph {
    /// The values that inputs give the symbolic dimensions; the smallest where none does.
    public func dimensions(ofFunction index: Int, inputs: [Tensor]) throws(ApusError) -> [Int] {
        var values = dimensions.map { $0.minimum }
        var isSet = [Bool](repeating: false, count: values.count)
        for (input, tensor) in zip(functions[index].inputs, inputs) {
            for (axis, extent) in input.type.shape.dimensions.enumerated() where extent < 0 && axis < tensor.shape.count {
                let symbol = -1 - extent, size = tensor.shape[axis]
                guard symbol < values.count else { continue }
                guard !isSet[symbol] || values[symbol] == size else {
                    throw .shape("'\(input.name)' has \(dimensions[symbol].name) \(size), wanted \(values[symbol])")
                }
                values[symbol] = size
                isSet[symbol] = true
            }
        }
        return values
    }

    /// The index of a function by name, or 0.
    public func function(named name: String?) throws(ApusError) -> Int {
        guard let name else { return 0 }
        guard let index = functionIndex(name) else {
            throw .argument("no function '\(name)', wanted one of \(functions.map { $0.name }.joined(separator: ", "))")
        }
        return index
    }

    /// "f32[batch, 28, 28, 1]"
    public func text(_ type: TensorType) -> String {
        let extents = type.shape.dimensions.map { extent in
            extent >= 0 ? "\(extent)" : -1 - extent < dimensions.count ? dimensions[-1 - extent].name : "?"
        }
        return "\(type.dtype.name)[\(extents.joined(separator: ", "))]"
    }
}
