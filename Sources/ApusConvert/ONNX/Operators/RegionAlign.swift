import ApusGraph

let regionOperators: [OnnxOperator] = [
    OnnxOperator("RoiAlign", since: 10) { n throws(ApusError) in try roiAlign(n, mode: "output_half_pixel") },
    OnnxOperator("RoiAlign", since: 16) { n throws(ApusError) in
        try roiAlign(n, mode: try n.string("coordinate_transformation_mode", "half_pixel"))
    },
]

/// Each bin of a region: the mean, or the largest, of bilinear samples of x [N, C, H, W].
private func roiAlign(_ n: NodeContext, mode: String) throws(ApusError) -> Term {
    let g = n.g, x = try n.term(0), regions = try n.term(1)
    let align = try RegionAlign(n, mode: mode)
    let scaled = try g.mul(regions, try g.scalar(Double(align.scale), like: regions))
    let images = try g.gather(x, try n.term(2), axis: 0)
    let samples = try n.int("sampling_ratio", 0)
    guard samples >= 0 else { throw .shape("sampling_ratio \(samples), wanted 0 or more") }
    if samples > 0 { return try align(images, scaled, rows: samples, columns: samples) }
    // As many samples as a bin has elements, each region by itself.
    let known: [Double]
    do throws(ApusError) { known = try n.known(1).elements() } catch { throw error.within("sampling_ratio 0") }
    guard regions.shape == [images.shape[0], 4], (1...RegionAlign.regionLimit).contains(images.shape[0]) else {
        throw .unsupported("regions \(regions.shape), wanted [1 ... \(RegionAlign.regionLimit), 4] with sampling_ratio 0")
    }
    var parts: [Term] = []
    for i in 0..<known.count / 4 {
        let region = known[4 * i..<4 * i + 4].map { Float($0) }
        parts.append(try align(
            try g.slice(images, axis: 0, i, i + 1), try g.slice(scaled, axis: 0, i, i + 1),
            rows: align.samples(region[1], region[3], bins: align.rows),
            columns: align.samples(region[0], region[2], bins: align.columns)))
    }
    return try g.concat(parts, axis: 0)
}

/// The attributes of RoiAlign.
///
/// A sample is a weighted sum of two rows and of two columns, so it is a product with a matrix from either side: for the
/// mean one of both neighbours, for the largest four of one each.
private struct RegionAlign {
    let g: Emitter
    let isMean, isHalfPixel: Bool
    let scale: Float
    /// Bins of each region.
    let rows, columns: Int
    /// Most regions that are taken one by one.
    static let regionLimit = 256

    init(_ n: NodeContext, mode: String) throws(ApusError) {
        guard ["half_pixel", "output_half_pixel"].contains(mode) else { throw .file("coordinate mode '\(mode)'") }
        isHalfPixel = mode == "half_pixel"
        switch try n.string("mode", "avg") {
        case "avg": isMean = true
        case "max": isMean = false
        case let other: throw .file("mode '\(other)', wanted avg or max")
        }
        g = n.g
        scale = try n.float("spatial_scale", 1)
        rows = try n.int("output_height", 1)
        columns = try n.int("output_width", 1)
    }

    private var shift: Float { isHalfPixel ? 0.5 : 0 }

    /// ⌈length / bins⌉ of a region from `start` to `end`, 0 where it has no length, at most more than is taken.
    func samples(_ start: Float, _ end: Float, bins: Int) -> Int {
        let length = (end * scale - shift) - (start * scale - shift)
        let count = ((isHalfPixel ? length : max(length, 1)) / Float(max(1, bins))).rounded(.up)
        return Int(max(0, min(count, Float(RegionAxis.limit + 1))))
    }

    /// [regions, C, rows, columns] for images [regions, C, H, W] and scaled regions [regions, 4], by so many samples of each
    /// bin along either axis.
    func callAsFunction(
        _ images: Term, _ scaled: Term, rows rowSamples: Int, columns columnSamples: Int
    ) throws(ApusError) -> Term {
        guard rowSamples > 0, columnSamples > 0 else {
            return try g.expand(try g.scalar(0, like: images), to: images.shapes.map { [$0[0], $0[1], rows, columns] })
        }
        let row = try axis(images, scaled, 1, 2, bins: rows, samples: rowSamples)
        let column = try axis(images, scaled, 0, 3, bins: columns, samples: columnSamples)
        if isMean { return try g.sampled(images, try row.mean(), try column.mean()) }
        var largest: Term?
        for row in row.neighbours {
            for column in column.neighbours {
                let part = try g.sampled(images, row, column)
                largest = try largest.map { old throws(ApusError) in try g.maximum(old, part) } ?? part
            }
        }
        let bins = try g.reshape(largest!, to: largest!.shapes.map {
            [$0[0], $0[1], rows, rowSamples, columns, columnSamples]
        })
        return try g.reduce(.max, bins, [3, 5], keep: false)
    }

    /// The samples along an axis of the images, whose bounds are two columns of the regions.
    private func axis(
        _ images: Term, _ scaled: Term, _ first: Int, _ axis: Int, bins: Int, samples: Int
    ) throws(ApusError) -> RegionAxis {
        let offset = try g.scalar(Double(shift), like: scaled)
        let start = try g.sub(try g.slice(scaled, axis: 1, first, first + 1), offset)
        let end = try g.sub(try g.slice(scaled, axis: 1, first + 2, first + 3), offset)
        var length = try g.sub(end, start)
        if !isHalfPixel { length = try g.maximum(length, try g.scalar(1, like: length)) }
        return try RegionAxis(
            g, start: start, length: length, bins: bins, samples: samples, extent: try images.extent(axis))
    }
}

/// The samples of every region along one axis.
private struct RegionAxis {
    let g: Emitter
    let bins: Int
    let samples: Int
    /// Most samples of a region, and most elements.
    static let limit = 4096
    /// [regions, bins·samples, extent]: the weights of the element before each sample, and of the one after.
    let neighbours: [Term]

    /// `start` and `length` of the regions are [regions, 1].
    init(_ g: Emitter, start: Term, length: Term, bins: Int, samples: Int, extent: Int) throws(ApusError) {
        guard bins >= 1, bins <= RegionAxis.limit, bins * samples <= RegionAxis.limit, (1...RegionAxis.limit).contains(extent) else {
            throw .unsupported("\(bins) bins of \(samples) samples of \(extent) elements, wanted 1 ... \(RegionAxis.limit)")
        }
        self.g = g
        self.bins = bins
        self.samples = samples
        func number(_ value: Double) throws(ApusError) -> Term { try g.scalar(value, .f32) }
        let fractions = (0..<bins * samples).map { (Double($0) + 0.5) / Double(bins * samples) }
        let places = try g.add(start, try g.mul(length, g.constant(try Constant("", .f32, [1, bins * samples], fractions))))
        // Nothing is seen more than one element beyond the edge; nearer the edge counts.
        let isSeen = try g.and(
            try g.greaterOrEqual(places, try number(-1)), try g.lessOrEqual(places, try number(Double(extent))))
        let seen = try g.cast(isSeen, to: .f32)
        let place = try g.minimum(try g.maximum(places, try number(0)), try number(Double(extent - 1)))
        let before = try g.floor(place), rest = try g.sub(place, before)
        let elements = g.constant(try Constant("", .f32, [extent], (0..<extent).map { Double($0) }))
        func weights(_ element: Term, _ weight: Term) throws(ApusError) -> Term {
            let isThere = try g.cast(try g.equal(try g.unsqueeze(element, [2]), elements), to: .f32)
            return try g.mul(isThere, try g.unsqueeze(try g.mul(weight, seen), [2]))
        }
        neighbours = [
            try weights(before, try g.sub(try number(1), rest)), try weights(try g.add(before, try number(1)), rest),
        ]
    }

    /// [regions, bins, extent].
    func mean() throws(ApusError) -> Term {
        let both = try g.add(neighbours[0], neighbours[1])
        let split = try g.reshape(both, to: both.shapes.map { [$0[0], bins, samples, $0[2]] })
        return try g.reduce(.mean, split, [2], keep: false)
    }
}

extension Emitter {
    /// rows·image·columnsᵀ [regions, C, P, Q] for image [regions, C, H, W], rows [regions, P, H], columns [regions, Q, W].
    fileprivate func sampled(_ image: Term, _ rows: Term, _ columns: Term) throws(ApusError) -> Term {
        let height = try image.extent(2), width = try image.extent(3), channels = try image.extent(1)
        let p = try rows.extent(1), q = try columns.extent(1)
        let flat = try reshape(image, to: image.shapes.map { [$0[0], channels * height, width] })
        let across = try matMul(flat, columns, transposeB: true)
        let byRow = try transpose(try reshape(across, to: across.shapes.map { [$0[0], channels, height, q] }), [0, 2, 1, 3])
        let down = try matMul(rows, try reshape(byRow, to: byRow.shapes.map { [$0[0], height, channels * q] }))
        return try transpose(try reshape(down, to: down.shapes.map { [$0[0], p, channels, q] }), [0, 2, 1, 3])
    }
}
