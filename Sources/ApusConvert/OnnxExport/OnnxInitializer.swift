import ApusGraph
import enum Apus.Packing
import struct Apus.FileSink

/// A tensor of a model that is written. Its bytes are made when they are written, and not before.
struct OnnxInitializer {
    let name: String
    let dtype: DType
    let dimensions: [Int]
    private let source: Constant
    /// Of `source` with as many 1s in front as it lacks axes.
    private let order: AxisOrder

    /// A constant with its axes in another order, and 1s in front of its extents up to as many as the order has.
    init(_ name: String, _ source: Constant, _ order: AxisOrder) {
        self.name = name
        self.source = source
        self.order = order
        dtype = source.type.dtype
        let extents = OnnxInitializer.extents(source.type.shape, rank: order.axes.count)
        dimensions = order.axes.map { extents[$0] }
    }

    var byteSize: Int { TensorType(dtype, Shape(dimensions)).byteSize }

    /// Writes the elements, row-major.
    func write(to sink: FileSink) throws(ApusError) {
        let constant = try constant()
        // The bytes are those of a storage that nothing else keeps.
        try withExtendedLifetime(constant.storage) { () throws(ApusError) in try sink.write(constant.bytes) }
        source.storage.discard()
    }

    private func constant() throws(ApusError) -> Constant {
        var plain = try Packing.unpack(source)
        plain.type = TensorType(dtype, Shape(OnnxInitializer.extents(source.type.shape, rank: order.axes.count)))
        guard !order.isPlain else { return plain }
        let scratch = Emitter(Graph(), function: "transpose")
        return try scratch.evaluate([try scratch(Transpose(order.axes), scratch.constant(plain))])[0]
    }

    private static func extents(_ shape: Shape, rank: Int) -> [Int] {
        [Int](repeating: 1, count: rank - shape.rank) + shape.dimensions
    }
}
