import ApusGraph

/// How the windows of a convolution or pool lie over its spatial axes, from ONNX's attributes.
struct Window {
    let kernel, strides, dilations: [Int]
    /// Padding before and after each axis; after it so much more that windows which ceil mode adds fit.
    private(set) var before, after: [Int]
    /// What of `after` is padding of the model's.
    private(set) var declaredAfter: [Int]
    var rank: Int { kernel.count }

    /// - Parameter extents: the image's, per axis and sample.
    init(_ n: NodeContext, kernel: [Int], over extents: [[Int]], ceils: Bool = false) throws(ApusError) {
        let rank = kernel.count
        self.kernel = kernel
        strides = try n.ints("strides") ?? [Int](repeating: 1, count: rank)
        dilations = try n.ints("dilations") ?? [Int](repeating: 1, count: rank)
        let pads = try n.ints("pads") ?? [Int](repeating: 0, count: 2 * rank)
        guard rank >= 1, extents.count == rank, strides.count == rank, dilations.count == rank, pads.count == 2 * rank
        else { throw .shape("a window of \(rank) axes over \(extents.count)") }
        guard (kernel + strides + dilations).allSatisfy({ (1...1 << 30).contains($0) }),
            pads.allSatisfy({ (0...Shape.maximumExtent).contains($0) })
        else { throw .shape("kernel \(kernel), strides \(strides), dilations \(dilations), pads \(pads)") }
        before = Array(pads[..<rank])
        after = Array(pads[rank...])
        declaredAfter = after
        let mode = try n.string("auto_pad", "NOTSET")
        switch mode {
        case "NOTSET": break
        case "VALID":
            before = [Int](repeating: 0, count: rank)
            after = before
        case "SAME_UPPER", "SAME_LOWER":
            for axis in 0..<rank {
                let total = try fixed(extents[axis].map { extent in
                    let outputs = (extent + strides[axis] - 1) / strides[axis]
                    return max(0, (outputs - 1) * strides[axis] + span(axis) - extent)
                })
                before[axis] = mode == "SAME_UPPER" ? total / 2 : total - total / 2
                after[axis] = total - before[axis]
            }
        default: throw .unsupported("auto_pad '\(mode)'")
        }
        declaredAfter = after
        for axis in 0..<rank where ceils {
            let missing = extents[axis].map { extent in
                let padded = extent + before[axis] + declaredAfter[axis] - span(axis)
                var outputs = (padded + strides[axis] - 1) / strides[axis] + 1
                // A window that starts in the padding at the end is none.
                if (outputs - 1) * strides[axis] >= extent + before[axis] { outputs -= 1 }
                return max(0, (outputs - 1) * strides[axis] - padded)
            }
            if missing.contains(where: { $0 != missing[0] }) && declaredAfter[axis] + strides[axis] - 1 < span(axis) {
                // No window starts in the padding at the end, and the last one is short of less than a stride.
                after[axis] += strides[axis] - 1
            } else {
                after[axis] += try fixed(missing)
            }
        }
        for axis in 0..<rank {
            for (sample, extent) in extents[axis].enumerated() where extent + before[axis] + after[axis] < span(axis) {
                throw n.g.error(
                    .shape(
                        "a window of \(span(axis)) over an extent of \(extent + before[axis] + after[axis]) with padding, "
                            + "wanted at most as much"), atSample: sample)
            }
        }
    }

    /// Elements from the first tap of a window to its last.
    func span(_ axis: Int) -> Int { (kernel[axis] - 1) * dilations[axis] + 1 }

    /// The number of windows along an axis over an extent.
    func count(_ axis: Int, over extent: Int) -> Int {
        max(0, (extent + before[axis] + after[axis] - span(axis)) / strides[axis] + 1)
    }

    private func fixed(_ samples: [Int]) throws(ApusError) -> Int {
        guard samples.allSatisfy({ $0 == samples[0] }) else {
            throw .unsupported("padding that depends on a symbolic dimension")
        }
        return samples[0]
    }

    /// Every tap, as an offset along each axis, the last axis fastest.
    var taps: [[Int]] {
        var taps: [[Int]] = [[]]
        for axis in 0..<rank { taps = taps.flatMap { tap in (0..<kernel[axis]).map { tap + [$0 * dilations[axis]] } } }
        return taps
    }

    var tapCount: Int { Shape(kernel).count }
}

extension Emitter {
    /// x [N, C, …] seen by one tap of every window: its spatial axes are the windows'. `x` has its padding.
    func seen(_ x: Term, by tap: [Int], of window: Window) throws(ApusError) -> Term {
        let axes = (0..<window.rank).map { $0 + 2 }
        // Where the last window that fits has the tap, from the end.
        let ends = (0..<window.rank).map { tap[$0] + 1 < window.span($0) ? tap[$0] + 1 - window.span($0) : Int(Int32.max) }
        return try self(Slice(axes: axes, starts: tap, ends: ends, steps: window.strides), x)
    }

    /// x [N, C, …] with a window's padding.
    func padded(_ x: Term, _ window: Window, value: Float) throws(ApusError) -> Term {
        try pad(x, [0, 0] + window.before, [0, 0] + window.after, value: value)
    }

    /// [N, C, spatial…] → [N, spatial…, C].
    func channelsLast(_ x: Term) throws(ApusError) -> Term { try moveAxis(x, from: 1, to: x.rank - 1) }

    /// [N, spatial…, C] → [N, C, spatial…].
    func channelsFirst(_ x: Term) throws(ApusError) -> Term { try moveAxis(x, from: x.rank - 1, to: 1) }
}
