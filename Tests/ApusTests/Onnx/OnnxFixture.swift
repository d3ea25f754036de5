import ApusRuntime
import Foundation

@testable import Apus
@testable import ApusConvert

/// Bytes of ONNX messages, written field by field.
struct OnnxMessage {
    private(set) var bytes: [UInt8] = []

    mutating func varint(_ field: Int, _ value: Int) {
        append(UInt64(field << 3))
        append(UInt64(bitPattern: Int64(value)))
    }

    mutating func bytes(_ field: Int, _ payload: [UInt8]) {
        append(UInt64(field << 3 | 2))
        append(UInt64(payload.count))
        bytes += payload
    }

    mutating func float(_ field: Int, _ value: Float) {
        append(UInt64(field << 3 | 5))
        bytes += withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
    }

    mutating func text(_ field: Int, _ text: String) { bytes(field, Array(text.utf8)) }

    mutating func message(_ field: Int, _ body: (inout OnnxMessage) -> Void) {
        var inner = OnnxMessage()
        body(&inner)
        bytes(field, inner.bytes)
    }

    private mutating func append(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }
}

/// A graph that a test writes as an ONNX model.
struct OnnxFixture {
    enum Extent {
        case fixed(Int), named(String)
    }

    private var graph = OnnxMessage()
    private var functions = OnnxMessage()
    var operatorSet = 17
    /// Operator sets of version 1 beside ONNX's own.
    var domains: [String] = []

    mutating func input(_ name: String, _ shape: [Extent], type: Int = 1) { info(11, name, shape, type) }
    mutating func output(_ name: String, _ shape: [Extent] = [], type: Int = 1) { info(12, name, shape, type) }

    mutating func node(
        _ op: String, _ inputs: [String], _ outputs: [String], ints: [String: [Int]] = [:], int: [String: Int] = [:],
        float: [String: Float] = [:], floats: [String: [Float]] = [:], text: [String: String] = [:],
        texts: [String: [String]] = [:], body: OnnxFixture? = nil, domain: String = ""
    ) {
        graph.message(1) { node in
            node.text(7, domain)
            for name in inputs { node.text(1, name) }
            for name in outputs { node.text(2, name) }
            node.text(3, "node_\(outputs[0])")
            node.text(4, op)
            for (name, values) in ints.sorted(by: { $0.key < $1.key }) {
                node.message(5) { attribute in
                    attribute.text(1, name)
                    for value in values { attribute.varint(8, value) }
                    attribute.varint(20, 7)
                }
            }
            for (name, value) in int.sorted(by: { $0.key < $1.key }) {
                node.message(5) { attribute in
                    attribute.text(1, name)
                    attribute.varint(3, value)
                    attribute.varint(20, 2)
                }
            }
            for (name, value) in float.sorted(by: { $0.key < $1.key }) {
                node.message(5) { attribute in
                    attribute.text(1, name)
                    attribute.float(2, value)
                    attribute.varint(20, 1)
                }
            }
            for (name, values) in floats.sorted(by: { $0.key < $1.key }) {
                node.message(5) { attribute in
                    attribute.text(1, name)
                    for value in values { attribute.float(7, value) }
                    attribute.varint(20, 6)
                }
            }
            for (name, values) in texts.sorted(by: { $0.key < $1.key }) {
                node.message(5) { attribute in
                    attribute.text(1, name)
                    for value in values { attribute.text(9, value) }
                    attribute.varint(20, 8)
                }
            }
            for (name, value) in text.sorted(by: { $0.key < $1.key }) {
                node.message(5) { attribute in
                    attribute.text(1, name)
                    attribute.text(4, value)
                    attribute.varint(20, 3)
                }
            }
            if let body {
                node.message(5) { attribute in
                    attribute.text(1, "body")
                    attribute.bytes(6, body.graph.bytes)
                    attribute.varint(20, 5)
                }
            }
        }
    }

    mutating func constant(_ name: String, _ shape: [Int], _ values: [Float]) {
        tensor(name, shape, type: 1) { $0.bytes(9, values.withUnsafeBytes { Array($0) }) }
    }

    mutating func constant(_ name: String, _ values: [Int]) {
        tensor(name, [values.count], type: 7) { $0.bytes(9, values.withUnsafeBytes { Array($0) }) }
    }

    /// A tensor of int8, uint8, bool, int32, uint4 or int4: type 3, 2, 9, 6, 21 or 22.
    mutating func codes(_ name: String, _ shape: [Int], _ values: [Int], type: Int = 3) {
        var bytes = values.flatMap { value in
            type == 6 ? withUnsafeBytes(of: Int32(value).littleEndian) { Array($0) } : [UInt8(truncatingIfNeeded: value)]
        }
        if type == 21 || type == 22 {
            bytes = stride(from: 0, to: bytes.count, by: 2).map { bytes[$0] & 15 | ($0 + 1 < bytes.count ? bytes[$0 + 1] << 4 : 0) }
        }
        tensor(name, shape, type: type) { $0.bytes(9, bytes) }
    }

    /// A tensor whose elements lie in a file at `location`; where it lies in it as the file has it, unless left out.
    mutating func external(
        _ name: String, _ shape: [Int], location: String, offset: String? = nil, length: String? = nil
    ) {
        tensor(name, shape, type: 1) { tensor in
            for (key, value) in [("location", location), ("offset", offset), ("length", length)] {
                guard let value else { continue }
                tensor.message(13) { entry in
                    entry.text(1, key)
                    entry.text(2, value)
                }
            }
            tensor.varint(14, 1)
        }
    }

    /// A function of one input and one output that calls another one twice, or none.
    mutating func function(_ name: String, domain: String, calls other: String?) {
        functions.message(25) { function in
            function.text(1, name)
            function.text(10, domain)
            function.text(4, "x")
            function.text(5, "y")
            for (input, output) in [("x", "t"), ("t", "y")] {
                function.message(7) { node in
                    node.text(1, input)
                    node.text(2, output)
                    node.text(4, other ?? "Neg")
                    node.text(7, other == nil ? "" : domain)
                }
            }
            for set in ["", domain] {
                function.message(9) { message in
                    message.text(1, set)
                    message.varint(2, set.isEmpty ? operatorSet : 1)
                }
            }
        }
    }

    private mutating func tensor(_ name: String, _ shape: [Int], type: Int, _ data: (inout OnnxMessage) -> Void) {
        graph.message(5) { tensor in
            for extent in shape { tensor.varint(1, extent) }
            tensor.varint(2, type)
            tensor.text(8, name)
            data(&tensor)
        }
    }

    private mutating func info(_ field: Int, _ name: String, _ shape: [Extent], _ type: Int) {
        graph.message(field) { info in
            info.text(1, name)
            info.message(2) { value in
                value.message(1) { tensor in
                    tensor.varint(1, type)
                    tensor.message(2) { list in
                        for extent in shape {
                            list.message(1) { dimension in
                                switch extent {
                                case .fixed(let size): dimension.varint(1, size)
                                case .named(let name): dimension.text(2, name)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    var bytes: [UInt8] {
        var model = OnnxMessage()
        model.varint(1, 8)
        model.bytes(7, graph.bytes)
        model.message(8) { set in set.varint(2, operatorSet) }
        for domain in domains {
            model.message(8) { set in
                set.text(1, domain)
                set.varint(2, 1)
            }
        }
        return model.bytes + functions.bytes
    }
}

extension OnnxFixture {
    /// The model converted, with these bounds of dimensions.
    func converted(_ dimensions: [String: ClosedRange<Int>] = [:]) throws -> Graph {
        var options = OnnxOptions()
        options.dimensions = dimensions
        let model = try OnnxReader.read(bytes: bytes, folder: URL(fileURLWithPath: "/nonexistent"))
        return try ModelConversion(try Importer.graph(of: model, options).get(), ExportOptions()).graph
    }

    func session(_ dimensions: [String: ClosedRange<Int>] = [:]) throws -> Session {
        try Session(try Model(try converted(dimensions)))
    }
}

extension Session {
    /// The first output at these sizes.
    func run(_ sizes: [String: Int], _ inputs: [Tensor]) throws -> Tensor {
        for (name, size) in sizes { try setDimension(name, size) }
        for (i, input) in inputs.enumerated() { try set(function: 0, input: i, input) }
        try run()
        return try tensor(function: 0, output: 0)
    }
}
