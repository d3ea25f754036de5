import Apus
import ApusGraph
import ToolSupport

/// A tensor's type in a report: "dtype", and "shape" of extents and of names of symbolic dimensions.
struct ReportedType: Encodable {
    private let dtype: String
    private let shape: [Extent]
    /// "f32[batch, 8, 8, 1]"
    let text: String

    init(_ type: TensorType, _ graph: Graph) {
        dtype = type.dtype.name
        text = graph.text(type)
        shape = type.shape.dimensions.map { extent in
            let symbol = -1 - extent
            if extent >= 0 { return .fixed(extent) }
            return .symbol(graph.dimensions.indices.contains(symbol) ? graph.dimensions[symbol].name : "?")
        }
    }

    private enum CodingKeys: String, CodingKey { case dtype, shape }

    private enum Extent: Encodable {
        case fixed(Int)
        case symbol(String)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .fixed(let extent): try container.encode(extent)
            case .symbol(let name): try container.encode(name)
            }
        }
    }
}

/// An input's contract in a report: raw → (raw · scale − mean) / std, mean and std for each channel. What is not said is
/// left out.
struct ReportedContract: Encodable {
    private let layout: String?
    private let color: String?
    private let rawMinimum: Float?
    private let rawMaximum: Float?
    private let scale: Float
    private let mean: [Float]?
    private let std: [Float]?

    init(_ contract: InputContract) {
        layout = contract.layout.isEmpty ? nil : contract.layout
        color = contract.color.isEmpty ? nil : contract.color
        let range = contract.rawRange, isBounded = range.lowerBound < range.upperBound
        rawMinimum = isBounded ? range.lowerBound : nil
        rawMaximum = isBounded ? range.upperBound : nil
        scale = contract.scale
        mean = contract.mean.isEmpty ? nil : contract.mean
        std = contract.std.isEmpty ? nil : contract.std
    }

    var text: String {
        var parts = [layout, color].compactMap { $0 }
        if let rawMinimum, let rawMaximum { parts.append("raw \(rawMinimum) … \(rawMaximum)") }
        if scale != 1 { parts.append("scale \(scale)") }
        if let mean { parts.append("mean \(mean)") }
        if let std { parts.append("std \(std)") }
        return parts.joined(separator: ", ")
    }
}
