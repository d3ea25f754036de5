import ApusGraph
import Foundation

/// Resizing is separable. Along an axis of fixed extents it is a product with a matrix whose rows hold what each output
/// takes from the inputs; along another, what `SymbolicResampler` makes.
let resizeOperators: [OnnxOperator] = [
    OnnxOperator("Resize", since: 10) { n throws(ApusError) -> Term in
        try resize(n, scales: try scaleSamples(n, 1), sizes: nil, .asymmetric)
    },
    OnnxOperator("Resize", since: 11, resizeByInputs),
    OnnxOperator("Upsample", since: 7) { n throws(ApusError) -> Term in
        let scales = try n.floats("scales").map { $0.map { Double($0) } }
        return try resize(n, scales: scales.map { [$0].spread(over: n.g) }, sizes: nil, .asymmetric)
    },
    OnnxOperator("Upsample", since: 9) { n throws(ApusError) -> Term in
        try resize(n, scales: try scaleSamples(n, 1), sizes: nil, .asymmetric)
    },
]

/// Which place of the input an output is taken from.
enum ResizeCoordinates: String {
    case halfPixel = "half_pixel", symmetric = "half_pixel_symmetric", pytorch = "pytorch_half_pixel"
    case alignCorners = "align_corners", asymmetric, crop = "tf_crop_and_resize"
}

private func resizeByInputs(_ n: NodeContext) throws(ApusError) -> Term {
    let name = try n.string("coordinate_transformation_mode", "half_pixel")
    guard let coordinates = ResizeCoordinates(rawValue: name) else {
        throw .unsupported("coordinate_transformation_mode '\(name)'")
    }
    let scales = n.has(2) ? try scaleSamples(n, 2) : []
    return try resize(
        n, scales: scales.allSatisfy { $0.isEmpty } ? nil : scales, sizes: n.has(3) ? try n.integerSamples(3) : nil,
        coordinates)
}

/// A known input's numbers, per sample.
private func scaleSamples(_ n: NodeContext, _ index: Int) throws(ApusError) -> [[Double]] {
    var samples: [[Double]] = []
    for constant in try n.knownSamples(index) { samples.append(try constant.elements()) }
    return samples.spread(over: n.g)
}

extension [[Double]] {
    fileprivate func spread(over g: Emitter) -> [[Double]] {
        count == 1 ? [[Double]](repeating: self[0], count: g.samples.count) : self
    }
}

/// - Parameters scales, sizes: of every axis, per sample.
private func resize(
    _ n: NodeContext, scales: [[Double]]?, sizes: [[Int]]?, _ coordinates: ResizeCoordinates
) throws(ApusError) -> Term {
    var x = try n.term(0)
    let dtype = x.dtype
    let axes = try n.ints("axes").map { axes throws(ApusError) in
        var list: [Int] = []
        for axis in axes { list.append(try x.axis(axis)) }
        return list
    } ?? Array(0..<x.rank)
    guard scales?.allSatisfy({ $0.count == axes.count }) ?? true, sizes?.allSatisfy({ $0.count == axes.count }) ?? true,
        scales != nil || sizes != nil
    else { throw .shape("\(scales?[0].count ?? 0) scales and \(sizes?[0].count ?? 0) sizes of \(axes.count) axes") }
    let roi = coordinates == .crop ? try n.known(1).elements() : []
    guard roi.isEmpty || roi.count == 2 * axes.count, roi.allSatisfy({ abs($0) < 1e6 }) else {
        throw .shape("a region \(roi) of \(axes.count) axes")
    }
    let policy = try n.string("keep_aspect_ratio_policy", "stretch")
    var common: Double?
    if let sizes, policy != "stretch" {
        guard sizes.allSatisfy({ $0 == sizes[0] }) else {
            throw .unsupported("keep_aspect_ratio_policy '\(policy)' of sizes that depend on a symbolic dimension")
        }
        var ratios: [Double] = []
        for (size, axis) in zip(sizes[0], axes) { ratios.append(Double(size) / Double(try x.extent(axis))) }
        common = policy == "not_larger" ? ratios.min() : ratios.max()
    }
    for (i, axis) in axes.enumerated() {
        let extents = x.extents(axis)
        var given: [Double] = [], results: [Int] = []
        for (sample, extent) in extents.enumerated() {
            let (scale, size) = try resized(extent, common ?? scales?[sample][i], sizes?[sample][i], rounds: common != nil)
            guard size >= 1, extent >= 1, size <= 1 << 20, extent <= 1 << 20 else {
                throw n.g.error(.shape("a resize of \(extent) to \(size)"), atSample: sample)
            }
            given.append(scale)
            results.append(size)
        }
        if results == extents && coordinates != .crop && (scales == nil || given.allSatisfy { $0 == 1 }) { continue }
        guard x.isFixed(axis), results.allSatisfy({ $0 == results[0] }) else {
            let scale = scales != nil && given.allSatisfy { $0 == given[0] } ? given[0] : nil
            x = try SymbolicResampler(n, extents, results, scale: scale, coordinates).apply(x, axis: axis)
            continue
        }
        // A cubic kernel takes four inputs a sample.
        try requireTable(4, extents[0], results[0])
        let range = roi.isEmpty ? (0.0, 1.0) : (roi[i], roi[i + axes.count])
        let resampler = try Resampler(
            n, extent: extents[0], size: results[0], scale: given[0], coordinates.rawValue, range)
        x = try resampler.apply(n.g, x, axis: axis)
    }
    return try n.g.cast(x, to: dtype)
}

/// The scale and the size that an extent gets, of which one is given.
private func resized(
    _ extent: Int, _ scale: Double?, _ size: Int?, rounds: Bool
) throws(ApusError) -> (scale: Double, size: Int) {
    guard let scale else { return (Double(size!) / Double(extent), size!) }
    guard scale > 0, scale * Double(extent) < Double(Shape.maximumExtent) else { throw .shape("scale \(scale)") }
    if rounds { return (scale, Int((scale * Double(extent) + 0.5).rounded(.down))) }
    // As runtimes multiply: 0.7 of 10 is 7.
    return (scale, Int((Float(scale) * Float(extent)).rounded(.down)))
}

/// What each output along one axis takes from which inputs.
private struct Resampler {
    /// Per output the inputs and their weights; empty where the output lies outside.
    private var taps: [[(input: Int, weight: Double)]] = []
    private let extent: Int
    private let outside: Double
    private let picks: Bool

    init(
        _ n: NodeContext, extent: Int, size: Int, scale: Double, _ coordinates: String, _ roi: (Double, Double)
    ) throws(ApusError) {
        self.extent = extent
        outside = Double(try n.float("extrapolation_value", 0))
        let mode = try n.string("mode", "nearest")
        picks = mode == "nearest"
        let rounding = try n.string("nearest_mode", n.version < 11 ? "floor" : "round_prefer_floor")
        let cubic = Double(try n.float("cubic_coeff_a", -0.75))
        let antialias = try n.flag("antialias") && scale < 1
        let excludes = try n.flag("exclude_outside")
        for output in 0..<size {
            let x = Resampler.place(output, extent, size, scale, coordinates, roi)
            if coordinates == "tf_crop_and_resize" && (x < 0 || x > Double(extent - 1)) {
                taps.append([])
                continue
            }
            var found: [(Int, Double)]
            switch mode {
            case "nearest": found = [(Resampler.nearest(x, rounding), 1)]
            case "linear":
                found = Resampler.kernel(x, support: 1, antialias ? scale : 1) { max(0, 1 - abs($0)) }
            case "cubic":
                found = Resampler.kernel(x, support: 2, antialias ? scale : 1) { Resampler.cubic($0, cubic) }
            default: throw .unsupported("mode '\(mode)'")
            }
            if excludes { found.removeAll { !(0..<extent).contains($0.0) } }
            let total = excludes || antialias ? found.reduce(0) { $0 + $1.1 } : 1
            taps.append(found.map { (input: min(max($0.0, 0), extent - 1), weight: $0.1 / total) })
        }
    }

    private static func place(
        _ output: Int, _ extent: Int, _ size: Int, _ scale: Double, _ coordinates: String, _ roi: (Double, Double)
    ) -> Double {
        let y = Double(output), length = Double(extent), scaled = scale * length
        switch coordinates {
        case "align_corners": return scaled == 1 ? 0 : y * (length - 1) / (scaled - 1)
        case "asymmetric": return y / scale
        case "tf_crop_and_resize":
            let start = roi.0 * (length - 1), width = (roi.1 - roi.0) * (length - 1)
            return scaled == 1 ? start + width / 2 : start + y * width / (scaled - 1)
        case "pytorch_half_pixel": return size == 1 ? 0 : (y + 0.5) / scale - 0.5
        case "half_pixel_symmetric": return length / 2 * (1 - Double(size) / scaled) + (y + 0.5) / scale - 0.5
        default: return (y + 0.5) / scale - 0.5
        }
    }

    private static func nearest(_ x: Double, _ rounding: String) -> Int {
        switch rounding {
        case "floor": Int(x.rounded(.down))
        case "ceil": Int(x.rounded(.up))
        case "round_prefer_ceil": Int((x + 0.5).rounded(.down))
        default: Int((x - 0.5).rounded(.up))
        }
    }

    /// The inputs less than `support` away, stretched by 1/scale, with the kernel's values there.
    private static func kernel(
        _ x: Double, support: Double, _ scale: Double, _ value: (Double) -> Double
    ) -> [(Int, Double)] {
        let reach = support / scale
        let first = Int((x - reach).rounded(.up)), last = Int((x + reach).rounded(.down))
        return (first...max(first, last)).map { ($0, value((Double($0) - x) * scale)) }
    }

    private static func cubic(_ distance: Double, _ a: Double) -> Double {
        let d = abs(distance)
        if d <= 1 { return ((a + 2) * d - (a + 3)) * d * d + 1 }
        return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
    }

    func apply(_ g: Emitter, _ x: Term, axis: Int) throws(ApusError) -> Term {
        if picks && taps.allSatisfy({ !$0.isEmpty }) { return try g.gather(x, taps.map { $0[0].input }, axis: axis) }
        let real = try g.widened(x, x.dtype.isFloat ? .real : [.f32])
        var matrix = [Double](repeating: 0, count: extent * taps.count)
        for (output, list) in taps.enumerated() {
            for (input, weight) in list { matrix[input * taps.count + output] += weight }
        }
        let weights = g.constant(try Constant("", real.dtype, [extent, taps.count], matrix))
        let last = x.rank - 1
        let rows = try g.moveAxis(real, from: axis, to: last)
        var y = try g.moveAxis(try g.product(rows, weights), from: last, to: axis)
        if taps.contains(where: { $0.isEmpty }) {
            var shape = [Int](repeating: 1, count: x.rank)
            shape[axis] = taps.count
            let inside = g.constant(try Constant("", .bool, shape, taps.map { $0.isEmpty ? 0 : 1 }))
            y = try g.select(inside, y, try g.scalar(outside, like: y))
        }
        return y
    }
}
