import ApusGraph
import Foundation

/// Signal and noise of values against what they should be.
struct Noise {
    private var signal = 0.0
    private var error = 0.0

    /// Numbers that are not finite count only where the other is another one: as an error without bound.
    mutating func add(_ real: Double, _ found: Double) {
        guard real.isFinite && found.isFinite else {
            if real != found && !(real.isNaN && found.isNaN) { error = .infinity }
            return
        }
        signal += real * real
        error += (found - real) * (found - real)
    }

    /// 10·log10(Σ x² / Σ (x − x̂)²), at most 200; nil where there was neither signal nor an error without bound.
    var decibels: Double? {
        if error == .infinity { return -.infinity }
        return signal > 0 ? min(200, 10 * log10(signal / max(error, signal * 1e-20))) : nil
    }
}

/// A real graph and one that was quantized from it, run on the same samples: nodes of the same name, and the outputs.
struct NodeComparison {
    struct Figures {
        var noise = Noise()
        fileprivate var outside = 0, count = 0
        /// nil where the node's outputs are real.
        var saturated: Double? { count > 0 ? Double(outside) / Double(count) : nil }
    }

    private let real: ObservedFunction
    private let quantized: ObservedFunction
    /// Per name the first output's local in either function.
    private let places: [(name: String, real: Int, quantized: Int)]
    private let outputPlaces: (real: Int, quantized: Int)?
    /// What rows of one number say; nil where that is not known.
    private let single: BinaryScore?
    private(set) var figures: [String: Figures] = [:]
    private var agreeing = 0, rows = 0, divergence = 0.0, outputNoise = Noise()

    init(_ real: Graph, _ quantized: Graph, _ samples: [[Tensor]], single: BinaryScore? = nil) throws(ApusError) {
        self.single = single
        guard let first = samples.first else { throw .argument("no sample to compare on") }
        let dimensions = real.dimensions(function: 0, of: first)
        self.real = try ObservedFunction(real, function: 0, dimensions: dimensions)
        self.quantized = try ObservedFunction(quantized, function: 0, dimensions: dimensions)
        let mine = quantized.functions[0].locals
        places = real.functions[0].locals.compactMap { name, local in mine[name].map { (name, local, $0) } }
            .sorted { $0.real < $1.real }
        outputPlaces = zip(real.functions[0].outputs, quantized.functions[0].outputs).compactMap { a, b -> (real: Int, quantized: Int)? in
            guard case .local(let i) = a.operand, case .local(let j) = b.operand else { return nil }
            return (i, j)
        }.first
        for place in places { figures[place.name] = Figures() }
    }

    mutating func add(_ sample: [Tensor]) throws(ApusError) {
        try real.run(sample)
        try quantized.run(sample)
        for place in places where real.types[place.real].dtype == .f32 {
            let wanted = try real.floats(place.real), type = quantized.types[place.quantized]
            let found = try quantized.tensor(place.quantized)
            guard found.count == wanted.count, var figure = figures[place.name] else { continue }
            if let codes = CodeScale(type) {
                let low = Double(codes.scale) * (-128.5 - Double(codes.zeroPoint))
                let high = Double(codes.scale) * (127.5 - Double(codes.zeroPoint))
                for (x, q) in zip(wanted, try found.array(of: Int8.self)) {
                    figure.noise.add(Double(x), Double(codes.scale) * Double(Int32(q) - codes.zeroPoint))
                    if Double(x) < low || Double(x) > high { figure.outside += 1 }
                }
                figure.count += wanted.count
            } else if type.dtype == .f32 {
                for (x, y) in zip(wanted, try found.array(of: Float.self)) { figure.noise.add(Double(x), Double(y)) }
            }
            figures[place.name] = figure
        }
        try compareOutputs()
    }

    private mutating func compareOutputs() throws(ApusError) {
        guard let places = outputPlaces, real.types[places.real].dtype == .f32 else { return }
        let a = try real.tensor(places.real), b = try quantized.tensor(places.quantized)
        let width = max(1, a.shape.last ?? 1)
        let x = try a.doubles(), y = try b.doubles()
        guard x.count == y.count else { return }
        for start in stride(from: 0, to: x.count, by: width) {
            var p = Array(x[start..<start + width]), q = Array(y[start..<start + width])
            for (value, other) in zip(p, q) { outputNoise.add(value, other) }
            if width == 1 {
                guard let single else { continue }
                (p, q) = (single.logits(p[0]), single.logits(q[0]))
            }
            if p.indices.max(by: { p[$0] < p[$1] }) == q.indices.max(by: { q[$0] < q[$1] }) { agreeing += 1 }
            divergence += zip(logSoftmax(p), logSoftmax(q)).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
            rows += 1
        }
    }

    private func logSoftmax(_ x: [Double]) -> [Double] {
        let most = x.max() ?? 0, sum = x.reduce(0) { $0 + exp($1 - most) }
        return x.map { $0 - most - log(sum) }
    }

    var outputs: (agreement: Double?, divergence: Double?, noise: Double?) {
        guard rows > 0 else { return (nil, nil, outputNoise.decibels) }
        return (Double(agreeing) / Double(rows), divergence / Double(rows), outputNoise.decibels)
    }
}

extension Function {
    /// Per name of a node its first output.
    fileprivate var locals: [String: Int] {
        var result: [String: Int] = [:], next = inputs.count
        for node in nodes {
            result[node.name] = next
            next += node.op.outputCount
        }
        return result
    }
}
