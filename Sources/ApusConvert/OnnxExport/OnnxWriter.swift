import ApusGraph
import COnnxFormat
import Foundation
import enum Apus.AtomicFile

/// `OnnxModel` and its initializers → an ONNX file. The reverse of `OnnxReader`.
///
/// The message is packed without initializers, whose sizes are known; then each is made, written and forgotten.
struct OnnxWriter {
    /// A protobuf message cannot be longer.
    static let messageLimit = Int(Int32.max)
    /// Tensors smaller than this stay in the model's file.
    private static let externalMinimum = 1024
    /// Of tensors in a file of weights, so that readers can map them.
    private static let externalAlignment = 4096

    private let model: OnnxModel
    private let initializers: [OnnxInitializer]
    private let wire = WireArena()

    private init(_ model: OnnxModel, _ initializers: [OnnxInitializer]) {
        self.model = model
        self.initializers = initializers
    }

    /// Writes a model, and its weights beside it where asked for or where one file cannot hold them; returns the bytes
    /// written. Each file is there whole or not at all; the weights come first.
    static func write(
        _ model: OnnxModel, _ initializers: [OnnxInitializer], to path: String, externalData: Bool = false,
        limit: Int = messageLimit
    ) throws(ApusError) -> Int {
        let writer = OnnxWriter(model, initializers)
        let size = writer.encoded(writer.embedded()).size
        if !externalData && size <= limit { return try writer.writeModel(writer.embedded(), to: path) }
        let (tensors, weightBytes) = writer.external(location: URL(fileURLWithPath: path).lastPathComponent + ".data")
        try AtomicFile.write(to: path + ".data") { sink throws(ApusError) in
            var position = 0
            for (tensor, initializer) in zip(tensors, initializers) {
                guard let offset = tensor.externalOffset else { continue }
                try sink.write([UInt8](repeating: 0, count: offset - position))
                try initializer.write(to: sink)
                position = offset + initializer.byteSize
            }
        }
        return weightBytes + (try writer.writeModel(tensors, to: path))
    }

    // MARK: Tensors

    /// The record of a tensor, without its elements where these follow it.
    private struct TensorRecord {
        var head: [UInt8]
        var rawBytes = 0
        var externalOffset: Int?
        var size: Int { head.count + rawBytes }
    }

    private func embedded() -> [TensorRecord] { initializers.map { embedded($0) } }

    private func embedded(_ initializer: OnnxInitializer) -> TensorRecord {
        let bytes = initializer.byteSize
        let head = packed(tensor(initializer)) + [9 << 3 | 2] + OnnxWriter.varint(bytes)
        return TensorRecord(head: head, rawBytes: bytes)
    }

    private func external(location: String) -> (records: [TensorRecord], bytes: Int) {
        var end = 0
        var records: [TensorRecord] = []
        for initializer in initializers {
            guard initializer.byteSize >= OnnxWriter.externalMinimum else {
                records.append(embedded(initializer))
                continue
            }
            let alignment = OnnxWriter.externalAlignment
            let offset = (end + alignment - 1) / alignment * alignment
            end = offset + initializer.byteSize
            let message = tensor(initializer)
            message.pointee.data_location = ONNX__TENSOR__LOCATION__EXTERNAL
            (message.pointee.n_external_data, message.pointee.external_data) = entries([
                ("location", location), ("offset", "\(offset)"), ("length", "\(initializer.byteSize)"),
            ])
            records.append(TensorRecord(head: packed(message), externalOffset: offset))
        }
        return (records, end)
    }

    private func tensor(_ initializer: OnnxInitializer) -> UnsafeMutablePointer<Onnx__Tensor> {
        wire.message(onnx__tensor__init) {
            $0.name = wire.string(initializer.name)
            $0.data_type = Int32(OnnxElementType(initializer.dtype).rawValue)
            $0.n_dims = initializer.dimensions.count
            $0.dims = wire.array(initializer.dimensions.map { Int64($0) })
        }
    }

    // MARK: The file

    private struct Encoded {
        let model, graph: [UInt8]
        /// Of the graph with its tensors.
        let graphSize: Int
        var size: Int { model.count + 1 + OnnxWriter.varint(graphSize).count + graphSize }
    }

    private func encoded(_ tensors: [TensorRecord]) -> Encoded {
        let graph = packed(graphMessage())
        let graphSize = tensors.reduce(graph.count) { $0 + 1 + OnnxWriter.varint($1.size).count + $1.size }
        return Encoded(model: packed(modelMessage()), graph: graph, graphSize: graphSize)
    }

    private func writeModel(_ tensors: [TensorRecord], to path: String) throws(ApusError) -> Int {
        let encoded = self.encoded(tensors)
        guard encoded.size <= OnnxWriter.messageLimit else {
            throw .unsupported("\(path): a model of \(encoded.size) bytes, wanted at most \(OnnxWriter.messageLimit)")
        }
        try AtomicFile.write(to: path) { sink throws(ApusError) in
            try sink.write(encoded.model + [7 << 3 | 2] + OnnxWriter.varint(encoded.graphSize) + encoded.graph)
            for (tensor, initializer) in zip(tensors, initializers) {
                try sink.write([5 << 3 | 2] + OnnxWriter.varint(tensor.size) + tensor.head)
                if tensor.rawBytes > 0 { try initializer.write(to: sink) }
            }
        }
        return encoded.size
    }

    private static func varint(_ value: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendVarint(UInt64(value))
        return bytes
    }

    /// The bytes of a message; all of them begin with their base.
    private func packed<M>(_ message: UnsafeMutablePointer<M>) -> [UInt8] {
        let base = UnsafeRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self)
        var bytes = [UInt8](repeating: 0, count: protobuf_c_message_get_packed_size(base))
        protobuf_c_message_pack(base, &bytes)
        return bytes
    }

    // MARK: Messages

    private func modelMessage() -> UnsafeMutablePointer<Onnx__Model> {
        let sets = operatorSets(model.operatorSets)
        let functions = model.functions.sorted { $0.key.name < $1.key.name }.map { function($0.key, $0.value) }
        return wire.message(onnx__model__init) {
            $0.ir_version = Int64(model.irVersion)
            $0.producer_name = wire.string(model.producer)
            $0.producer_version = wire.string(model.producerVersion)
            ($0.n_opset_import, $0.opset_import) = list(sets)
            ($0.n_metadata_props, $0.metadata_props) = entries(model.metadata)
            ($0.n_functions, $0.functions) = list(functions)
        }
    }

    private func operatorSets(_ sets: [String: Int]) -> [UnsafeMutablePointer<Onnx__OperatorSet>] {
        sets.sorted { $0.key < $1.key }.map { domain, version in
            wire.message(onnx__operator_set__init) { (m: inout Onnx__OperatorSet) in
                m.domain = wire.string(domain)
                m.version = Int64(version)
            }
        }
    }

    private func function(_ key: OnnxFunction.Key, _ function: OnnxFunction) -> UnsafeMutablePointer<Onnx__Function> {
        wire.message(onnx__function__init) {
            $0.name = wire.string(key.name)
            $0.domain = wire.string(key.domain)
            ($0.n_input, $0.input) = texts(function.inputs)
            ($0.n_output, $0.output) = texts(function.outputs)
            ($0.n_node, $0.node) = list(function.nodes.map { node($0) })
            ($0.n_opset_import, $0.opset_import) = list(operatorSets(function.operatorSets))
        }
    }

    private func graphMessage() -> UnsafeMutablePointer<Onnx__Graph> {
        wire.message(onnx__graph__init) {
            $0.name = wire.string(model.graph.name)
            ($0.n_node, $0.node) = list(model.graph.nodes.map { node($0) })
            ($0.n_input, $0.input) = list(model.graph.inputs.map { valueInfo($0) })
            ($0.n_output, $0.output) = list(model.graph.outputs.map { valueInfo($0) })
        }
    }

    private func node(_ node: OnnxNode) -> UnsafeMutablePointer<Onnx__Node> {
        wire.message(onnx__node__init) {
            $0.name = wire.string(node.name)
            $0.op_type = wire.string(node.op)
            $0.domain = wire.string(node.domain)
            ($0.n_input, $0.input) = texts(node.inputs)
            ($0.n_output, $0.output) = texts(node.outputs)
            ($0.n_attribute, $0.attribute) = list(
                node.attributes.sorted { $0.key < $1.key }.map { attribute($0.key, $0.value) })
        }
    }

    /// The attributes that rules give; no other kind reaches this point.
    private func attribute(_ name: String, _ value: OnnxAttribute) -> UnsafeMutablePointer<Onnx__Attribute> {
        wire.message(onnx__attribute__init) {
            $0.name = wire.string(name)
            switch value {
            case .float(let number): ($0.type, $0.f) = (ONNX__ATTRIBUTE__TYPE__FLOAT, number)
            case .int(let number): ($0.type, $0.i) = (ONNX__ATTRIBUTE__TYPE__INT, Int64(number))
            case .string(let bytes):
                ($0.type, $0.s) = (
                    ONNX__ATTRIBUTE__TYPE__STRING, ProtobufCBinaryData(len: bytes.count, data: wire.array(bytes)))
            case .ints(let numbers):
                $0.type = ONNX__ATTRIBUTE__TYPE__INTS
                ($0.n_ints, $0.ints) = (numbers.count, wire.array(numbers.map { Int64($0) }))
            case .floats(let numbers):
                $0.type = ONNX__ATTRIBUTE__TYPE__FLOATS
                ($0.n_floats, $0.floats) = (numbers.count, wire.array(numbers))
            case .strings(let texts):
                $0.type = ONNX__ATTRIBUTE__TYPE__STRINGS
                $0.n_strings = texts.count
                $0.strings = wire.array(texts.map { ProtobufCBinaryData(len: $0.count, data: wire.array($0)) })
            case .tensor, .graph, .tensors, .reference, .other: preconditionFailure("attribute \(name)")
            }
        }
    }

    private func valueInfo(_ info: OnnxValueInfo) -> UnsafeMutablePointer<Onnx__ValueInfo> {
        let dimensions = (info.extents ?? []).map { extent in
            wire.message(onnx__tensor_shape__dimension__init) { (m: inout Onnx__TensorShape__Dimension) in
                switch extent {
                case .fixed(let size):
                    m.value_case = ONNX__TENSOR_SHAPE__DIMENSION__VALUE_DIM_VALUE
                    m.dim_value = Int64(size)
                case .named(let name):
                    m.value_case = ONNX__TENSOR_SHAPE__DIMENSION__VALUE_DIM_PARAM
                    m.dim_param = wire.string(name)
                case .unknown: break
                }
            }
        }
        let shape = wire.message(onnx__tensor_shape__init) { (m: inout Onnx__TensorShape) in
            (m.n_dim, m.dim) = list(dimensions)
        }
        let tensor = wire.message(onnx__tensor_type__init) { (m: inout Onnx__TensorType) in
            m.elem_type = Int32(info.elementType.rawValue)
            m.shape = shape
        }
        return wire.message(onnx__value_info__init) {
            $0.name = wire.string(info.name)
            $0.type = wire.message(onnx__type__init) { (m: inout Onnx__Type) in
                m.value_case = ONNX__TYPE__VALUE_TENSOR_TYPE
                m.tensor_type = tensor
            }
        }
    }

    private func entries(
        _ entries: [(key: String, value: String)]
    ) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<Onnx__StringEntry>?>?) {
        list(
            entries.map { entry in
                wire.message(onnx__string_entry__init) { (m: inout Onnx__StringEntry) in
                    m.key = wire.string(entry.key)
                    m.value = wire.string(entry.value)
                }
            })
    }

    private func texts(_ texts: [String]) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) {
        (texts.count, wire.array(texts.map { wire.string($0) as UnsafeMutablePointer<CChar>? }))
    }

    private func list<M>(
        _ messages: [UnsafeMutablePointer<M>]
    ) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<M>?>?) {
        (messages.count, wire.array(messages.map { $0 as UnsafeMutablePointer<M>? }))
    }
}
