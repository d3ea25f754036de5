import ApusGraph
import Foundation

/// Moves factors between channels of a value: what makes it is divided by them, what reads it multiplied, so that the function
/// stays as it is and each channel takes another share of the range that all of them have in common.
///
/// The maker is a product without activation or with ReLU, or a layer norm; every reader a dense layer or a convolution,
/// grouped only where it is depthwise.
struct ChannelScaling {
    /// A value whose channels can be scaled.
    struct Site {
        let maker: Int
        let readers: [Int]
        let channels: Int
        fileprivate(set) var factors: [Double]
    }

    private let graph: Graph
    private var editor: FunctionEditor

    private init(_ graph: Graph) throws(ApusError) {
        self.graph = graph
        editor = try FunctionEditor(try ValidGraph(validating: graph), function: 0)
    }

    /// Cross-layer equalization (Nagel et al. 2019, section 4.1), in place: of two products one after another, the greatest
    /// weight of each channel in the first, r₁, and in the second, r₂, both become √(r₁·r₂). Returns the names of the first
    /// products, until nothing changes by more than a hundredth or 20 times.
    static func equalize(_ graph: Graph) throws(ApusError) -> [String] {
        var changed: Set<String> = []
        for _ in 0..<20 {
            var scaling = try ChannelScaling(graph), most = 0.0
            for place in scaling.editor.nodes {
                guard scaling.isProduct(place), var site = try scaling.site(place), site.readers.count == 1 else { continue }
                let first = try scaling.largest(place, isInput: false), second = try scaling.largest(site.readers[0], isInput: true)
                site.factors = zip(first, second).map { $0 > 0 && $1 > 0 ? ($0 / $1).squareRoot() : 1 }
                let change = site.factors.map { max($0, 1 / $0) }.max() ?? 1
                guard change > 1.01 else { continue }
                most = max(most, change)
                changed.insert(scaling.editor[place].name)
                try scaling.apply(site)
            }
            scaling.editor.finish()
            if most <= 1.01 { break }
        }
        return changed.sorted()
    }

    /// SmoothQuant (Xiao et al. 2023), in place: channel c of what a layer norm makes is divided by max |x_c|^α / max |W_c|^(1 − α),
    /// W_c being the rows of all the dense layers that read it. `extremes`: per local of the function the greatest magnitude
    /// of each channel. Returns the names of the layer norms.
    static func smooth(_ graph: Graph, _ alpha: Double, extremes: (Int) -> [Double]?) throws(ApusError) -> [String] {
        var scaling = try ChannelScaling(graph), changed: [String] = []
        for place in scaling.editor.nodes where scaling.editor[place].op is ApusGraph.LayerNorm {
            guard case .local(let local) = scaling.editor.output(of: place), let activations = extremes(local),
                var site = try scaling.site(place), activations.count == site.channels
            else { continue }
            var weights = [Double](repeating: 0, count: site.channels)
            for reader in site.readers {
                weights = zip(weights, try scaling.largest(reader, isInput: true)).map { max($0, $1) }
            }
            site.factors = zip(activations, weights).map { x, w in
                x > 0 && w > 0 ? pow(x, alpha) / pow(w, 1 - alpha) : 1
            }
            try scaling.apply(site)
            changed.append(scaling.editor[place].name)
        }
        scaling.editor.finish()
        return changed
    }

    // MARK: Sites

    private func isProduct(_ place: Int) -> Bool { Product(editor[place]) != nil }

    private func site(_ maker: Int) throws(ApusError) -> Site? {
        let value = editor.output(of: maker)
        if let product = Product(editor[maker]) {
            guard product.activation == .none || product.activation == .relu, product.residual == nil,
                editor.plainConstant(product.weights) != nil,
                product.bias.map({ editor.plainConstant($0) != nil }) ?? true,
                !(editor[maker].op is ApusGraph.Conv2DTranspose)
            else { return nil }
        } else {
            guard editor[maker].inputs.dropFirst().allSatisfy({ editor.plainConstant($0) != nil }) else { return nil }
        }
        let channels = editor.type(of: value).shape.last
        let readers = editor.nodes.filter { editor[$0].inputs.contains(value) }
        guard !readers.isEmpty, readers.count == editor.readCount(of: value) else { return nil }
        for reader in readers {
            guard let product = Product(editor[reader]), product.x == value, product.residual != value,
                let weights = editor.plainConstant(product.weights), inputChannels(editor[reader], weights) == channels
            else { return nil }
        }
        return Site(maker: maker, readers: readers, channels: channels, factors: [])
    }

    /// How many input channels the rows of weights belong to; nil where groups share them.
    private func inputChannels(_ node: Node, _ weights: Constant) -> Int? {
        let shape = weights.type.shape
        guard let convolution = node.op as? ApusGraph.Conv2D else {
            return node.op is ApusGraph.Dense && shape.rank == 2 ? shape[0] : nil
        }
        if convolution.groups == 1 { return shape[2] }
        return shape[2] == 1 && convolution.groups == shape[3] ? shape[3] : nil
    }

    /// The greatest magnitude of the weights of each output, or input, channel.
    private func largest(_ place: Int, isInput: Bool) throws(ApusError) -> [Double] {
        guard let product = Product(editor[place]), let weights = editor.plainConstant(product.weights) else { return [] }
        let shape = weights.type.shape
        var result = [Double](repeating: 0, count: isInput ? inputChannels(editor[place], weights) ?? 0 : shape.last)
        for (i, value) in try weights.doubles().enumerated() {
            let c = isInput ? product.inputChannel(ofWeight: i, shape) : i % shape.last
            result[c] = max(result[c], abs(value))
        }
        return result
    }

    // MARK: Writing

    private mutating func apply(_ site: Site) throws(ApusError) {
        let f = site.factors
        if var product = Product(editor[site.maker]) {
            product.weights = try scaled(product.weights) { 1 / f[$0 % f.count] }
            if let bias = product.bias { product.bias = try scaled(bias) { 1 / f[$0] } }
            editor[site.maker] = product.node
        } else {
            for input in 1..<editor[site.maker].inputs.count {
                editor[site.maker].inputs[input] = try scaled(editor[site.maker].inputs[input]) { 1 / f[$0 % f.count] }
            }
        }
        for reader in site.readers {
            guard var product = Product(editor[reader]), let shape = editor.plainConstant(product.weights)?.type.shape else { continue }
            let unscaled = product
            product.weights = try scaled(product.weights) { f[unscaled.inputChannel(ofWeight: $0, shape)] }
            editor[reader] = product.node
        }
    }

    private func scaled(_ operand: Operand, _ factor: (Int) -> Double) throws(ApusError) -> Operand {
        guard let constant = editor.plainConstant(operand) else { return operand }
        let values = try constant.doubles().enumerated().map { $1 * factor($0) }
        return graph.append(Constant(constant.name, constant.type, doubles: values))
    }
}
