/// How the elements of a constant or state lie in memory. The shape of a type is always the logical one.
public enum Layout: Sendable, Equatable {
    /// Row-major.
    case plain
    /// [K, N], leading dimensions batch: panels of 16 columns, `[⌈N/16⌉][K][16]`, zero-padded.
    case panels
    /// [kh, kw, C/groups, O]: each group's [kh·kw·C/groups, O/groups] matrix in panels.
    case convPanels(groups: Int)
    /// [K, N] of int8: `[⌈N/16⌉][⌈K/4⌉][16][4]`.
    case panels4
    /// `convPanels` with the int8 panel.
    case convPanels4(groups: Int)
    /// [3, 3, C, O] as Winograd's convolution reads it: its transform [tile + 2, tile + 2, C, O] in `convPanels` of one
    /// group.
    case winogradPanels(tile: Int)
}

/// What validation knows of a value: element type, shape, memory layout and quantization.
///
/// The four are behind one reference, so that the many copies that checking and planning make are copies of a pointer.
public struct TensorType: Sendable {
    private final class Fields: Sendable {
        let dtype: DType
        let shape: Shape
        let layout: Layout
        let quantization: Quantization?

        init(_ dtype: DType, _ shape: Shape, _ layout: Layout, _ quantization: Quantization?) {
            self.dtype = dtype
            self.shape = shape
            self.layout = layout
            self.quantization = quantization
        }
    }

    private var fields: Fields

    @inline(never)
    public init(_ dtype: DType, _ shape: Shape, layout: Layout = .plain, quantization: Quantization? = nil) {
        fields = Fields(dtype, shape, layout, quantization)
    }

    public var dtype: DType {
        get { fields.dtype }
        set { self = TensorType(newValue, shape, layout: layout, quantization: quantization) }
    }

    public var shape: Shape {
        get { fields.shape }
        set { self = TensorType(dtype, newValue, layout: layout, quantization: quantization) }
    }

    public var layout: Layout {
        get { fields.layout }
        set { self = TensorType(dtype, shape, layout: newValue, quantization: quantization) }
    }

    public var quantization: Quantization? {
        get { fields.quantization }
        set { self = TensorType(dtype, shape, layout: layout, quantization: newValue) }
    }

    /// Plain elements of the same type and quantization in another shape.
    public func moved(to shape: Shape) -> TensorType { TensorType(dtype, shape, quantization: quantization) }

    /// Bytes in memory, padding of panels included; saturates far above any size that validation lets pass.
    public var byteSize: Int {
        let elements: Int
        switch layout {
        case .plain:
            elements = shape.count
        case .panels:
            elements = panelled(batch: shape.product(0..<max(0, shape.rank - 2)), rows: shape[max(0, shape.rank - 2)],
                columns: shape.last, depth: 1)
        case .panels4:
            elements = panelled(batch: shape.product(0..<max(0, shape.rank - 2)), rows: shape[max(0, shape.rank - 2)],
                columns: shape.last, depth: 4)
        case .convPanels(let groups):
            elements = panelled(batch: groups, rows: shape.product(0..<max(0, shape.rank - 1)),
                columns: shape.last / max(groups, 1), depth: 1)
        case .convPanels4(let groups):
            elements = panelled(batch: groups, rows: shape.product(0..<max(0, shape.rank - 1)),
                columns: shape.last / max(groups, 1), depth: 4)
        case .winogradPanels(let tile):
            elements = panelled(batch: (tile + 2) * (tile + 2), rows: shape[max(0, shape.rank - 2)],
                columns: shape.last, depth: 1)
        }
        guard elements < 1 << 56 else { return 1 << 56 }
        return (elements * dtype.bitWidth + 7) / 8
    }

    private func panelled(batch: Int, rows: Int, columns: Int, depth: Int) -> Int {
        let paddedColumns = (max(columns, 0) + 15) / 16 * 16
        let paddedRows = (max(rows, 0) + depth - 1) / depth * depth
        return Shape([batch, paddedRows, paddedColumns]).count
    }

    /// The rules that hold for every type, whatever makes it.
    public func check() throws(ApusError) {
        for axis in 0..<shape.rank {
            guard shape[axis] >= 0 && shape[axis] <= Shape.maximumExtent else {
                throw .shape("extent \(shape[axis]) in \(shape), wanted 0 ... \(Shape.maximumExtent)")
            }
        }
        switch layout {
        case .plain: break
        case .panels, .panels4:
            guard shape.rank >= 2 else { throw .shape("panels of shape \(shape), wanted rank 2 or more") }
        case .convPanels(let groups), .convPanels4(let groups):
            guard shape.rank == 4, groups > 0, shape.last % groups == 0 else {
                throw .shape("convolution panels of shape \(shape) in \(groups) groups, wanted rank 4, groups | O")
            }
        case .winogradPanels(let tile):
            guard shape.rank == 4, shape[0] == 3, shape[1] == 3, tile == 2 || tile == 4 else {
                throw .shape("Winograd panels of shape \(shape) for tiles of \(tile), wanted [3, 3, C, O], 2 or 4")
            }
        }
        guard byteSize <= 1 << 44 else { throw .shape("shape \(shape) is too large") }
        if let quantization { try quantization.check(dtype, shape) }
    }
}

extension TensorType: Equatable {
    @inline(never)
    public static func == (a: TensorType, b: TensorType) -> Bool {
        a.fields === b.fields
            || a.dtype == b.dtype && a.shape == b.shape && a.layout == b.layout && a.quantization == b.quantization
    }
}

extension TensorType: CustomStringConvertible {
    /// "f32[1, 28, 28, 3]"
    public var description: String { Message("\(self)").text }
}
