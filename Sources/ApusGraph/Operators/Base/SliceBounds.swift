import CModelFormat

/// Which elements a slice takes along each of its axes: start, start + step, … up to before end. As in ONNX, negative
/// positions count from the end of the axis, and positions outside are moved to its edge: Int32.max as an end takes all
/// that follows; Int32.min, with a negative step, all that precedes.
struct SliceBounds {
    let axes: [Int]
    let starts: [Int]
    let ends: [Int]
    let steps: [Int]

    /// No steps: all are 1.
    init(axes: [Int], starts: [Int], ends: [Int], steps: [Int] = []) {
        self.axes = axes
        self.starts = starts
        self.ends = ends
        self.steps = steps.isEmpty ? axes.map { _ in 1 } : steps
    }

    // MARK: Wire

    init(wire: UnsafeMutablePointer<Apus__Slice>) throws(ApusError) {
        let m = wire.pointee, limit = Shape.maximumRank
        self.init(
            axes: try wireList(m.n_axes, m.axes, limit: limit, "axes"),
            starts: try wireList(m.n_starts, m.starts, limit: limit, "starts"),
            ends: try wireList(m.n_ends, m.ends, limit: limit, "ends"),
            steps: try wireList(m.n_steps, m.steps, limit: limit, "steps"))
    }

    func encoded(_ wire: WireArena) -> UnsafeMutablePointer<Apus__Slice> {
        wire.message(apus__slice__init) {
            $0.n_axes = axes.count
            $0.axes = wire.int32s(axes)
            $0.n_starts = starts.count
            $0.starts = wire.int32s(starts)
            $0.n_ends = ends.count
            $0.ends = wire.int32s(ends)
            $0.n_steps = steps.count
            $0.steps = wire.int32s(steps)
        }
    }

    // MARK: Shape rule

    /// The part of a tensor that the bounds cut out: its shape, and its view of the whole.
    func part(of shape: Shape) throws(ApusError) -> (size: Shape, view: StridedView) {
        guard starts.count == axes.count, ends.count == axes.count, steps.count == axes.count else {
            throw .shape(
                "\(axes.count) axes with \(starts.count) starts, \(ends.count) ends and \(steps.count) steps, wanted "
                    + "as many")
        }
        _ = axes.isEmpty ? 0 : try Axes(axes).mask(shape)
        var size = shape
        var view = StridedView(of: shape)
        for i in axes.indices {
            let axis = try shape.axis(axes[i])
            let step = steps[i]
            guard step != 0 && abs(step) <= Shape.maximumExtent else {
                throw .shape("step \(step) along axis \(axis), wanted ±1 ... \(Shape.maximumExtent)")
            }
            let (first, count) = SliceBounds.range(starts[i], ends[i], step, length: shape[axis])
            size[axis] = count
            view = view.from(first, along: axis)
            view.strides[axis] = view.strides[axis] &* step
        }
        return (size, view)
    }

    /// The first position and the number of positions.
    private static func range(_ start: Int, _ end: Int, _ step: Int, length: Int) -> (first: Int, count: Int) {
        guard length > 0 else { return (0, 0) }
        let upper = step > 0 ? length : length - 1
        let from = min(max(start < 0 ? start + length : start, 0), upper)
        let to = min(max(end < 0 ? end + length : end, step > 0 ? 0 : -1), upper)
        let distance = step > 0 ? to - from : from - to
        guard distance > 0 else { return (0, 0) }
        return (from, (distance + abs(step) - 1) / abs(step))
    }
}
