import ApusGraph
import Foundation

/// Resizing is separable: along each axis a product with a matrix whose rows hold what each output takes from the inputs.
let resizeOperators: [OnnxOperator] = [
    OnnxOperator("Resize", since: 10) { n throws(ApusError) -> Term in
        try resize(n, scales: try n.known(1).elements(), sizes: nil, .asymmetric)
    },
    OnnxOperator("Resize", since: 11, resizeByInputs),
    OnnxOperator("Upsample", since: 7) { n throws(ApusError) -> Term in
        try resize(n, scales: try n.floats("scales").map { $0.map { Double($0) } }, sizes: nil, .asymmetric)
    },
    OnnxOperator("Upsample", since: 9) { n throws(ApusError) -> Term in
        try resize(n, scales: try n.known(1).elements(), sizes: nil, .asymmetric)
    },
]

/// Which place of the input an output is taken from.
private enum Coordinates: String {
    case halfPixel = "half_pixel", symmetric = "half_pixel_symmetric", pytorch = "pytorch_half_pixel"
    case alignCorners = "align_corners", asymmetric, crop = "tf_crop_and_resize"
}

private func resizeByInputs(_ n: NodeContext) throws(ApusError) -> Term {
    let name = try n.string("coordinate_transformation_mode", "half_pixel")
    guard let coordinates = Coordinates(rawValue: name) else {
        throw .unsupported("coordinate_transformation_mode '\(name)'")
    }
    let scales = n.has(2) ? try n.known(2).elements() : []
    return try resize(n, scales: scales.isEmpty ? nil : scales, sizes: n.has(3) ? try n.integers(3) : nil, coordinates)
}

private func resize(
    _ n: NodeContext, scales: [Double]?, sizes: [Int]?, _ coordinates: Coordinates
) throws(ApusError) -> Term {
    var x = try n.term(0)
    let dtype = x.dtype
    let axes = try n.ints("axes").map { axes throws(ApusError) in
        var list: [Int] = []
        for axis in axes { list.append(try x.axis(axis)) }
        return list
    } ?? Array(0..<x.rank)
    guard scales?.count ?? axes.count == axes.count, sizes?.count ?? axes.count == axes.count,
        scales != nil || sizes != nil
    else { throw .shape("\(scales?.count ?? 0) scales and \(sizes?.count ?? 0) sizes of \(axes.count) axes") }
    let roi = coordinates == .crop ? try n.known(1).elements() : []
    guard roi.isEmpty || roi.count == 2 * axes.count, roi.allSatisfy({ abs($0) < 1e6 }) else {
        throw .shape("a region \(roi) of \(axes.count) axes")
    }
    let policy = try n.string("keep_aspect_ratio_policy", "stretch")
    var common: Double?
    if let sizes, policy != "stretch" {
        var ratios: [Double] = []
        for (size, axis) in zip(sizes, axes) { ratios.append(Double(size) / Double(try x.extent(axis))) }
        common = policy == "not_larger" ? ratios.min() : ratios.max()
    }
    for (i, axis) in axes.enumerated() {
        if let scales, scales[i] == 1, coordinates != .crop { continue }
        let extent = try x.extent(axis)
        var size = 0, scale = 0.0
        if let common {
            (scale, size) = (common, Int(max(0, min(common * Double(extent) + 0.5, 0x1p31)).rounded(.down)))
        } else if let sizes {
            (scale, size) = (Double(sizes[i]) / Double(extent), sizes[i])
        } else if let scales {
            guard scales[i] > 0, scales[i] * Double(extent) < Double(Shape.maximumExtent) else {
                throw .shape("scale \(scales[i])")
            }
            (scale, size) = (scales[i], Int((scales[i] * Double(extent)).rounded(.down)))
        }
        guard size >= 1, extent >= 1, size <= 1 << 20 else { throw .shape("a resize of \(extent) to \(size)") }
        // A cubic kernel takes four inputs a sample.
        try requireTable(4, extent, size)
        if size == extent && scale == 1 && coordinates != .crop { continue }
        let range = roi.isEmpty ? (0.0, 1.0) : (roi[i], roi[i + axes.count])
        let resampler = try Resampler(n, extent: extent, size: size, scale: scale, coordinates.rawValue, range)
        x = try resampler.apply(n.g, x, axis: axis)
    }
    return try n.g.cast(x, to: dtype)
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
        case "pytorch_half_pixel": return scaled == 1 ? -0.5 : (y + 0.5) / scale - 0.5
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
