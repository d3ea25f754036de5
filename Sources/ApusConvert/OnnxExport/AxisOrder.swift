import ApusGraph

/// Which axis of an Apus value each axis of the ONNX value that stands for it is: axis i there is axis `axes[i]` here.
///
/// Convolutions and pools have channels last here and first there. A value that one of them makes stays in ONNX's order
/// until a node needs it in its own, so that transposes stand where the orders meet and nowhere between.
struct AxisOrder: Hashable {
    let axes: [Int]

    init(_ axes: [Int]) { self.axes = axes }

    static func plain(_ rank: Int) -> AxisOrder { AxisOrder(Array(0..<rank)) }

    /// [N, …, C] as [N, C, …].
    static func channelsFirst(_ rank: Int) -> AxisOrder { AxisOrder([0, rank - 1] + Array(1..<max(1, rank - 1))) }

    /// The last two axes exchanged.
    static func matrixTransposed(_ rank: Int) -> AxisOrder {
        AxisOrder(Array(0..<rank - 2) + [rank - 1, rank - 2])
    }

    var isPlain: Bool { axes == Array(axes.indices) }

    /// Where an axis of the Apus value lies in the ONNX value.
    func place(of axis: Int) -> Int { axes.firstIndex(of: axis)! }

    /// The permutation by which ONNX's Transpose takes a value in this order to another.
    func permutation(to other: AxisOrder) -> [Int] { other.axes.map { place(of: $0) } }

    /// The order of a value from which axes are taken away.
    func removing(_ removed: [Int]) -> AxisOrder {
        let kept = axes.filter { !removed.contains($0) }
        return AxisOrder(kept.map { axis in kept.count { $0 < axis } })
    }

    /// The order that shows transpose(x) where this one shows x: y's axis i is x's axis permutation[i].
    func transposed(_ permutation: [Int]) -> AxisOrder { AxisOrder(axes.map { permutation.firstIndex(of: $0)! }) }
}

/// An ONNX value that stands for an Apus value.
struct ExportedValue {
    let name: String
    let order: AxisOrder

    init(_ name: String, _ order: AxisOrder) {
        self.name = name
        self.order = order
    }
}
