import ApusGraph

/// Layers from inputs to outputs, and their parameters.
///
///     let x = Input([28, 28, 1])
///     let y = Dense(10)(Flatten()(x))
///     let network = try Network(inputs: [x], outputs: [y])
public class Network {
    public let name: String
    public let inputs: [SymbolicTensor]
    public let outputs: [SymbolicTensor]
    /// In the exported file; "output", or "output_0", "output_1", … unless given.
    public let outputNames: [String]
    public let parameters: Parameters
    /// What initial weights and random operators are drawn from.
    public let seed: UInt64
    /// Names of the classes of output 0, written to the file.
    public var classNames: [String] = []
    /// Text that goes to the file with the model.
    public var metadata: [(key: String, value: String)] = []
    /// Set where the network is trained as its integer form will compute.
    public internal(set) var quantization: QuantizationAwareness?
    /// Every call of a layer, in an order in which it can be emitted.
    let calls: [LayerCall]
    /// Per input how many rows the tables have that its indices are looked up in; nil where they are not.
    let vocabularies: [Int?]
    /// The names of its layers.
    private var names: [ObjectIdentifier: String] = [:]

    public init(
        inputs: [SymbolicTensor], outputs: [SymbolicTensor], outputNames: [String]? = nil, name: String = "model",
        seed: UInt64 = 0
    ) throws(ApusError) {
        self.name = name
        self.inputs = inputs
        self.outputs = outputs
        self.outputNames = outputNames ?? (outputs.count == 1 ? ["output"] : outputs.indices.map { "output_\($0)" })
        guard self.outputNames.count == outputs.count, Set(self.outputNames).count == outputs.count else {
            throw .argument("outputs named \(self.outputNames), wanted a name for each of \(outputs.count)")
        }
        self.seed = seed
        parameters = Parameters(seed: seed)
        guard !outputs.isEmpty else { throw .argument("network '\(name)' without an output") }
        calls = Network.order(outputs)
        vocabularies = Network.vocabularies(inputs, calls)
        for input in inputs where !(input.call.layer is InputLayer) {
            throw .argument("an input of network '\(name)' that Input(…) did not make")
        }
        for call in calls where call.layer is InputLayer {
            guard inputs.contains(where: { $0.call === call }) else {
                throw .argument("network '\(name)' uses an input that it does not list")
            }
        }
        try nameLayers()
        try check(inputs)
        // Makes the parameters, and reports a shape that does not fit at once.
        let graph = Graph(name)
        _ = try emit(.inference, graph, function: "predict", maximumBatch: 2) { index in
            Network.append(self.parameters.all[index], to: graph)
        }
        try takeParts()
    }

    /// The layers, each once.
    public var layers: [Layer] {
        var seen: Set<ObjectIdentifier> = []
        return calls.map { $0.layer }.filter { seen.insert(ObjectIdentifier($0)).inserted }
    }

    /// A layer's name in this network; that of `Layer.name`, but for a layer that had its name from another network where here a
    /// layer has it too.
    public func name(of layer: Layer) -> String { names[ObjectIdentifier(layer)] ?? layer.name }

    private func check(_ inputs: [SymbolicTensor]) throws(ApusError) {
        var seen: Set<ObjectIdentifier> = []
        for input in inputs {
            guard seen.insert(ObjectIdentifier(input.call)).inserted else {
                throw .argument("input '\(name(of: input.call.layer))' is listed twice")
            }
            guard let layer = input.call.layer as? InputLayer, layer.shape.contains(where: { $0 < 0 }) else { continue }
            throw .shape("input '\(name(of: layer))' of shape \(layer.shape), wanted extents of 0 or more")
        }
    }

    private static func order(_ outputs: [SymbolicTensor]) -> [LayerCall] {
        var order: [LayerCall] = []
        var seen: Set<ObjectIdentifier> = []
        // An explicit stack: networks may be deeper than the thread's.
        var stack = outputs.reversed().map { ($0.call, false) }
        while let (call, visited) = stack.popLast() {
            if visited {
                order.append(call)
            } else if seen.insert(ObjectIdentifier(call)).inserted {
                stack.append((call, true))
                for input in call.inputs.reversed() where !seen.contains(ObjectIdentifier(input.call)) {
                    stack.append((input.call, false))
                }
            }
        }
        return order
    }

    /// "conv2d", "conv2d_1", … as Keras names them. Names that the program gave stay; then those that another network gave, in
    /// the order of use; what is left has no name yet, or one that is taken, and gets the next that is free.
    private func nameLayers() throws(ApusError) {
        var counts: [String: Int] = [:]
        var taken: Set<String> = []
        var seen: Set<ObjectIdentifier> = []
        let layers = (layers + inputs.map { $0.call.layer }).filter { seen.insert(ObjectIdentifier($0)).inserted }
        for layer in layers where !layer.name.isEmpty && !layer.isNamedByNetwork {
            guard taken.insert(layer.name).inserted else {
                throw .argument("two layers are named '\(layer.name)'")
            }
        }
        var nameless: [Layer] = []
        for layer in layers where layer.name.isEmpty || layer.isNamedByNetwork {
            if layer.name.isEmpty || !taken.insert(layer.name).inserted { nameless.append(layer) }
        }
        for layer in nameless {
            let base = layer.kind.lowercased()
            var name: String
            repeat {
                let count = counts[base, default: 0]
                counts[base] = count + 1
                name = count == 0 ? base : "\(base)_\(count)"
            } while !taken.insert(name).inserted
            if layer.name.isEmpty {
                layer.name = name
                layer.isNamedByNetwork = true
            }
            names[ObjectIdentifier(layer)] = name
        }
    }
}

/// One layer after another.
///
///     let network = try Sequential(input: [28, 28, 1]) {
///         Conv2D(32, kernel: 3, activation: .relu)
///         MaxPool2D(2)
///         Flatten()
///         Dense(10)
///     }
public final class Sequential: Network {
    public init(
        input shape: [Int], dtype: DType = .f32, output outputName: String = "output", name: String = "model",
        seed: UInt64 = 0, contract: InputContract? = nil, @LayerBuilder layers: () -> [Layer]
    ) throws(ApusError) {
        let input = Input(shape, dtype: dtype, name: "input", contract: contract)
        var output = input
        for layer in layers() { output = layer(output) }
        try super.init(
            inputs: [input], outputs: [output], outputNames: [outputName], name: name, seed: seed)
    }
}

@resultBuilder
public enum LayerBuilder {
    public static func buildExpression(_ layer: Layer) -> [Layer] { [layer] }
    public static func buildExpression(_ layers: [Layer]) -> [Layer] { layers }
    public static func buildBlock(_ parts: [Layer]...) -> [Layer] { parts.flatMap { $0 } }
    public static func buildOptional(_ part: [Layer]?) -> [Layer] { part ?? [] }
    public static func buildEither(first: [Layer]) -> [Layer] { first }
    public static func buildEither(second: [Layer]) -> [Layer] { second }
    public static func buildArray(_ parts: [[Layer]]) -> [Layer] { parts.flatMap { $0 } }
}
