import CKernels
import CModelFormat

/// A set of axes as reductions name them: negative ones count from the end, none at all means every axis.
struct Axes {
    let list: [Int]
    let keepDimensions: Bool

    init(_ list: [Int], keepDimensions: Bool = false) {
        self.list = list
        self.keepDimensions = keepDimensions
    }

    init(wire: UnsafeMutablePointer<Apus__Reduce>) throws(ApusError) {
        let m = wire.pointee
        list = try wireList(m.n_axes, m.axes, limit: Shape.maximumRank, "axes")
        keepDimensions = m.keep_dimensions != 0
    }

    func encoded(_ wire: WireArena) -> UnsafeMutablePointer<Apus__Reduce> {
        wire.message(apus__reduce__init) {
            $0.n_axes = list.count
            $0.axes = wire.int32s(list)
            $0.keep_dimensions = keepDimensions ? 1 : 0
        }
    }

    /// One bit per axis of `shape`, bit 0 the outermost.
    func mask(_ shape: Shape) throws(ApusError) -> UInt32 {
        if list.isEmpty { return shape.allAxes }
        var mask: UInt32 = 0
        for axis in list {
            let bit: UInt32 = 1 << UInt32(try shape.axis(axis))
            guard mask & bit == 0 else { throw .shape("axis \(axis) twice among the axes, wanted each once") }
            mask |= bit
        }
        return mask
    }

    /// The shape that a reduction of `shape` over these axes has.
    func reduced(_ shape: Shape) throws(ApusError) -> Shape { shape.reduced(try mask(shape), keep: keepDimensions) }
}

extension Shape {
    var allAxes: UInt32 { (1 << UInt32(rank)) - 1 }

    /// Without the axes in `mask`, or with 1 in their place.
    func reduced(_ mask: UInt32, keep: Bool) -> Shape {
        var result = Shape()
        for axis in 0..<rank {
            if mask >> UInt32(axis) & 1 == 0 { result.append(self[axis]) } else if keep { result.append(1) }
        }
        return result
    }
}

extension WireArena {
    func axis(_ axis: Int) -> UnsafeMutablePointer<Apus__Axis> {
        message(apus__axis__init) { $0.axis = Int32(clamping: axis) }
    }
}
