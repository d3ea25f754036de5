import ApusGraph
import ApusRuntime
import COnnxFormat
import Foundation

/// ONNX bytes → `OnnxModel`. For any bytes the answer is a model or an error.
struct OnnxReader {
    /// Graphs in attributes of nodes of graphs, as deep as this.
    static let nestingLimit = 16
    static let newestIRVersion = 14

    private let file: OnnxFile
    private let external: ExternalData

    private init(_ file: OnnxFile) {
        self.file = file
        external = ExternalData(folder: file.folder)
    }

    static func read(_ path: String) throws(ApusError) -> OnnxModel { try read(try OnnxFile.open(path)) }

    /// A model in memory; external data are looked for in `folder`. The model keeps no reference to the bytes.
    static func read(bytes: [UInt8], folder: URL) throws(ApusError) -> OnnxModel {
        let copy = HeapStorage(bytes)
        return try withExtendedLifetime(copy) { () throws(ApusError) in
            var model = try read(try OnnxFile.open(bytes: copy.bytes, folder: folder))
            for i in model.graph.initializers.indices { model.graph.initializers[i].constant?.ownBytes() }
            return model
        }
    }

    static func read(_ file: OnnxFile) throws(ApusError) -> OnnxModel {
        let reader = OnnxReader(file)
        return try unpacked(HeapStorage(file.message), onnx__model__unpack, { onnx__model__free_unpacked($0, $1) }) {
            model throws(ApusError) in
            try reader.model(model)
        }
    }

    /// Decodes a message with a budget of memory, and frees it after `body`.
    private static func unpacked<M, R>(
        _ storage: Storage,
        _ unpack: (UnsafeMutablePointer<ProtobufCAllocator>?, Int, UnsafePointer<UInt8>?) -> UnsafeMutablePointer<M>?,
        _ free: (UnsafeMutablePointer<M>?, UnsafeMutablePointer<ProtobufCAllocator>?) -> Void,
        _ body: (M) throws(ApusError) -> R
    ) throws(ApusError) -> R {
        let bytes = storage.bytes
        var budget = Budget(remaining: min((1 << 16) + bytes.count * 128, (1 << 28) + bytes.count * 8))
        return try withExtendedLifetime(storage) { () throws(ApusError) in
            try withAllocator(&budget) { allocator throws(ApusError) in
            let address = bytes.bindMemory(to: UInt8.self).baseAddress
            guard let message = unpack(&allocator, bytes.count, address) else {
                throw .file("not a valid ONNX message, or one that needs more memory than its size allows")
            }
            defer { free(message, &allocator) }
            return try body(message.pointee)
            }
        }
    }

    // MARK: Messages

    private func model(_ message: Onnx__Model) throws(ApusError) -> OnnxModel {
        guard message.ir_version >= 3 && message.ir_version <= OnnxReader.newestIRVersion else {
            throw .unsupported("IR version \(message.ir_version), wanted 3 ... \(OnnxReader.newestIRVersion)")
        }
        guard let graph = message.graph else { throw .file("no graph") }
        var model = OnnxModel()
        model.irVersion = Int(message.ir_version)
        model.producer = text(message.producer_name)
        model.producerVersion = text(message.producer_version)
        model.operatorSets = operatorSets(message.n_opset_import, message.opset_import)
        model.graph = try self.graph(graph.pointee, depth: 0)
        for span in file.initializers { model.graph.initializers.append(try initializer(span, owner: file)) }
        for i in 0..<message.n_functions { try function(message.functions[i]!.pointee, into: &model) }
        for i in 0..<message.n_metadata_props {
            let entry = message.metadata_props[i]!.pointee
            model.metadata.append((text(entry.key), text(entry.value)))
        }
        return model
    }

    private func operatorSets(
        _ count: Int, _ imports: UnsafeMutablePointer<UnsafeMutablePointer<Onnx__OperatorSet>?>?
    ) -> [String: Int] {
        var sets: [String: Int] = [:]
        for i in 0..<count {
            let entry = imports![i]!.pointee
            sets[OnnxReader.domain(text(entry.domain))] = Int(entry.version)
        }
        return sets
    }

    /// ONNX's own domain has two names.
    private static func domain(_ name: String) -> String { name == "ai.onnx" ? "" : name }

    /// Operators that ONNX Runtime had, or had for more types, before ONNX's own set had them so.
    static let adopted: Set<String> = [
        "QuantizeLinear", "DequantizeLinear", "Gelu", "GatherND", "GridSample", "Pad", "Trilu",
    ]
    private static func domain(_ name: String, of op: String) -> String {
        name == "com.microsoft" && adopted.contains(op) ? "" : domain(name)
    }

    private func function(_ message: Onnx__Function, into model: inout OnnxModel) throws(ApusError) {
        var function = OnnxFunction()
        let key = OnnxFunction.Key(
            domain: OnnxReader.domain(text(message.domain)), name: text(message.name), overload: text(message.overload))
        function.inputs = texts(message.n_input, message.input)
        function.outputs = texts(message.n_output, message.output)
        function.operatorSets = operatorSets(message.n_opset_import, message.opset_import)
        for i in 0..<message.n_attribute_proto {
            let (name, value) = try attribute(message.attribute_proto[i]!.pointee, depth: 0)
            function.defaults[name] = value
        }
        for i in 0..<message.n_node { function.nodes.append(try node(message.node[i]!.pointee, depth: 0)) }
        guard model.functions.updateValue(function, forKey: key) == nil else {
            throw .file("function '\(key.name)' of domain '\(key.domain)' twice")
        }
    }

    private func graph(_ message: Onnx__Graph, depth: Int) throws(ApusError) -> OnnxGraph {
        guard message.n_sparse_initializer == 0 else {
            throw .unsupported("sparse initializers, wanted dense ones")
        }
        var graph = OnnxGraph()
        graph.name = text(message.name)
        for i in 0..<message.n_node { graph.nodes.append(try node(message.node[i]!.pointee, depth: depth)) }
        for i in 0..<message.n_initializer {
            let data = message.initializer[i]
            graph.initializers.append(
                try initializer(UnsafeRawBufferPointer(start: data.data, count: data.len), owner: nil))
        }
        graph.inputs = valueInfos(message.n_input, message.input)
        graph.outputs = valueInfos(message.n_output, message.output)
        graph.valueInfos = valueInfos(message.n_value_info, message.value_info)
        return graph
    }

    private func node(_ message: Onnx__Node, depth: Int) throws(ApusError) -> OnnxNode {
        var node = OnnxNode()
        node.name = text(message.name)
        node.op = text(message.op_type)
        node.domain = OnnxReader.domain(text(message.domain), of: node.op)
        node.overload = text(message.overload)
        node.inputs = texts(message.n_input, message.input)
        node.outputs = texts(message.n_output, message.output)
        for i in 0..<message.n_attribute {
            do throws(ApusError) {
                let (name, value) = try attribute(message.attribute[i]!.pointee, depth: depth)
                node.attributes[name] = value
            } catch {
                throw error.within("node '\(node.label)'")
            }
        }
        return node
    }

    private func attribute(_ m: Onnx__Attribute, depth: Int) throws(ApusError) -> (String, OnnxAttribute) {
        let name = text(m.name)
        if let reference = m.ref_attr_name, reference.pointee != 0 { return (name, .reference(text(reference))) }
        switch m.type {
        case ONNX__ATTRIBUTE__TYPE__FLOAT: return (name, .float(m.f))
        case ONNX__ATTRIBUTE__TYPE__INT: return (name, .int(Int(m.i)))
        case ONNX__ATTRIBUTE__TYPE__STRING: return (name, .string(bytes(m.s)))
        case ONNX__ATTRIBUTE__TYPE__TENSOR:
            guard let tensor = m.t else { throw .file("attribute '\(name)' without its tensor") }
            return (name, .tensor(try self.tensor(tensor.pointee, raw: nil)))
        case ONNX__ATTRIBUTE__TYPE__GRAPH: return (name, .graph(try nestedGraph(m.g, depth: depth + 1)))
        case ONNX__ATTRIBUTE__TYPE__FLOATS:
            return (name, .floats(Array(UnsafeBufferPointer(start: m.floats, count: m.n_floats))))
        case ONNX__ATTRIBUTE__TYPE__INTS:
            return (name, .ints((0..<m.n_ints).map { Int(m.ints[$0]) }))
        case ONNX__ATTRIBUTE__TYPE__STRINGS: return (name, .strings((0..<m.n_strings).map { bytes(m.strings[$0]) }))
        case ONNX__ATTRIBUTE__TYPE__TENSORS:
            var tensors: [OnnxTensor] = []
            for i in 0..<m.n_tensors { tensors.append(try tensor(m.tensors[i]!.pointee, raw: nil)) }
            return (name, .tensors(tensors))
        default: return (name, .other(Int(m.type.rawValue)))
        }
    }

    private func nestedGraph(_ data: ProtobufCBinaryData, depth: Int) throws(ApusError) -> OnnxGraph {
        guard depth <= OnnxReader.nestingLimit else {
            throw .file("graphs nested more than \(OnnxReader.nestingLimit) deep")
        }
        let bytes = Storage(UnsafeRawBufferPointer(start: data.data, count: data.len))
        return try OnnxReader.unpacked(bytes, onnx__graph__unpack, { onnx__graph__free_unpacked($0, $1) }) {
            graph throws(ApusError) in
            try self.graph(graph, depth: depth)
        }
    }

    private func valueInfos(
        _ count: Int, _ messages: UnsafeMutablePointer<UnsafeMutablePointer<Onnx__ValueInfo>?>?
    ) -> [OnnxValueInfo] {
        (0..<count).map { valueInfo(messages![$0]!.pointee) }
    }

    private func valueInfo(_ message: Onnx__ValueInfo) -> OnnxValueInfo {
        var info = OnnxValueInfo()
        info.name = text(message.name)
        guard let type = message.type?.pointee else {
            info.kind = .other("value without a type")
            return info
        }
        switch type.value_case {
        case ONNX__TYPE__VALUE_TENSOR_TYPE: break
        case ONNX__TYPE__VALUE_SEQUENCE_TYPE: info.kind = .other("sequence")
        case ONNX__TYPE__VALUE_MAP_TYPE: info.kind = .other("map")
        case ONNX__TYPE__VALUE_OPTIONAL_TYPE: info.kind = .other("optional")
        case ONNX__TYPE__VALUE_SPARSE_TENSOR_TYPE: info.kind = .other("sparse tensor")
        default: info.kind = .other("value without a type")
        }
        guard info.kind == .tensor, let tensor = type.tensor_type?.pointee else { return info }
        info.elementType = OnnxElementType(Int(tensor.elem_type))
        guard let shape = tensor.shape?.pointee else { return info }
        info.extents = (0..<shape.n_dim).map { extent(shape.dim[$0]!.pointee) }
        return info
    }

    private func extent(_ message: Onnx__TensorShape__Dimension) -> OnnxValueInfo.Extent {
        switch message.value_case {
        case ONNX__TENSOR_SHAPE__DIMENSION__VALUE_DIM_VALUE: return .fixed(Int(message.dim_value))
        case ONNX__TENSOR_SHAPE__DIMENSION__VALUE_DIM_PARAM:
            let name = text(message.dim_param)
            return name.isEmpty ? .unknown : .named(name)
        default: return .unknown
        }
    }

    // MARK: Tensors

    /// A tensor from its message's bytes. Those of `owner` stay where they are, if the tensor is large.
    private func initializer(_ bytes: UnsafeRawBufferPointer, owner: OnnxFile?) throws(ApusError) -> OnnxTensor {
        let (message, raw) = try OnnxReader.splitRawData(bytes)
        return try OnnxReader.unpacked(
            HeapStorage(message), onnx__tensor__unpack, { onnx__tensor__free_unpacked($0, $1) }
        ) { tensor throws(ApusError) in
            try self.tensor(tensor, raw: raw.map { RawData(bytes: $0, owner: owner) })
        }
    }

    private static let rawDataField: UInt64 = 9

    /// A tensor's message without its raw data, and these.
    private static func splitRawData(
        _ bytes: UnsafeRawBufferPointer
    ) throws(ApusError) -> (message: [UInt8], raw: UnsafeRawBufferPointer?) {
        var message: [UInt8] = []
        var raw: UnsafeRawBufferPointer?
        var cursor = WireCursor(bytes, at: 0)
        while cursor.offset < bytes.count {
            let start = cursor.offset
            let key = try cursor.varint()
            if key == rawDataField << 3 | 2 {
                raw = try cursor.span()
            } else {
                try cursor.skip(key)
                message += bytes[start..<cursor.offset]
            }
        }
        return (message, raw)
    }

    private func tensor(_ message: Onnx__Tensor, raw: RawData?) throws(ApusError) -> OnnxTensor {
        do throws(ApusError) {
            return try OnnxTensor(message, raw: raw, external)
        } catch {
            throw error.within("tensor '\(text(message.name))'")
        }
    }
}

func text(_ characters: UnsafePointer<CChar>?) -> String { characters.map { String(cString: $0) } ?? "" }

private func texts(_ count: Int, _ strings: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> [String] {
    (0..<count).map { text(strings![$0]) }
}

private func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
    Array(UnsafeBufferPointer(start: data.data, count: data.len))
}
