import ApusGraph

/// What an ONNX file says, in Swift values: copied, counted and range-checked, not yet given a meaning.
struct OnnxModel {
    var irVersion = 0
    var producer = ""
    var producerVersion = ""
    /// Versions of operator sets by domain; ONNX's own is "".
    var operatorSets: [String: Int] = [:]
    var graph = OnnxGraph()
    var functions: [OnnxFunction.Key: OnnxFunction] = [:]
    var metadata: [(key: String, value: String)] = []
}

extension OnnxModel {
    /// Whether a node has outputs whose sizes data decide.
    var measuresExtents: Bool {
        graph.measuresExtents || functions.values.contains { $0.nodes.contains { $0.measuresExtents } }
    }
}

extension OnnxGraph {
    fileprivate var measuresExtents: Bool { nodes.contains { $0.measuresExtents } }
}

extension OnnxNode {
    /// Whether the node, or one of a graph in its attributes, has outputs whose sizes data decide.
    var measuresExtents: Bool {
        if ["NonZero", "NonMaxSuppression", "Unique", "Compress"].contains(op) { return true }
        return attributes.values.contains { attribute in
            if case .graph(let graph) = attribute { return graph.measuresExtents }
            return false
        }
    }
}

struct OnnxGraph {
    var name = ""
    var nodes: [OnnxNode] = []
    var initializers: [OnnxTensor] = []
    var inputs: [OnnxValueInfo] = []
    var outputs: [OnnxValueInfo] = []
    var valueInfos: [OnnxValueInfo] = []
}

struct OnnxNode {
    var name = ""
    var op = ""
    /// "" for ONNX's own operators.
    var domain = ""
    var overload = ""
    /// Empty names are inputs and outputs left out.
    var inputs: [String] = []
    var outputs: [String] = []
    var attributes: [String: OnnxAttribute] = [:]

    /// The node's name, or its operator and first output.
    var label: String { name.isEmpty ? "\(op)(\(outputs.first ?? ""))" : name }
}

enum OnnxAttribute {
    case float(Float)
    case int(Int)
    case string([UInt8])
    case tensor(OnnxTensor)
    case graph(OnnxGraph)
    case floats([Float])
    case ints([Int])
    case strings([[UInt8]])
    case tensors([OnnxTensor])
    /// The attribute of this name of the function that the node stands in.
    case reference(String)
    /// Of a type that no supported operator has, by its number.
    case other(Int)
}

/// A tensor of a file.
struct OnnxTensor {
    var name = ""
    var elementType: OnnxElementType
    var dimensions: [Int] = []
    /// Its elements; nil where Apus has no such type.
    var constant: Constant?
}

/// An operator that the file itself defines by nodes.
struct OnnxFunction {
    struct Key: Hashable {
        var domain: String
        var name: String
        var overload: String
    }

    var inputs: [String] = []
    var outputs: [String] = []
    var nodes: [OnnxNode] = []
    /// Attributes with a value where the caller gives none.
    var defaults: [String: OnnxAttribute] = [:]
    var operatorSets: [String: Int] = [:]
}

struct OnnxValueInfo {
    enum Extent: Hashable {
        case fixed(Int)
        case named(String)
        case unknown
    }
    /// What is not a tensor has another kind, such as "sequence".
    enum Kind: Equatable {
        case tensor, other(String)
    }

    var name = ""
    var kind = Kind.tensor
    var elementType = OnnxElementType(0)
    /// nil: of unknown rank.
    var extents: [Extent]?
}

/// ONNX's numbering of element types.
struct OnnxElementType: Equatable {
    let rawValue: Int

    init(_ rawValue: Int) { self.rawValue = rawValue }

    init(_ dtype: DType) { self.init(OnnxElementType.dtypes.first { $0.value == dtype }!.key) }

    /// The type in Apus; nil where it has none.
    var dtype: DType? { OnnxElementType.dtypes[rawValue] }

    var name: String {
        let names = OnnxElementType.names
        return names.indices.contains(rawValue) ? names[rawValue] : "type \(rawValue)"
    }

    private static let dtypes: [Int: DType] = [
        1: .f32, 2: .u8, 3: .i8, 4: .u16, 5: .i16, 6: .i32, 7: .i64, 9: .bool, 10: .f16, 11: .f64, 16: .bf16, 21: .u4,
        22: .i4,
    ]

    private static let names = [
        "undefined", "float", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16",
        "double", "uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn", "float8e4m3fnuz",
        "float8e5m2", "float8e5m2fnuz", "uint4", "int4", "float4e2m1", "float8e8m0", "uint2", "int2",
    ]
}
