import ApusGraph
import ApusRuntime
import CModelFormat
import CSystem

/// Writes a graph as an .apus file: header, padding, weights. The reverse of `ModelReader`.
///
/// The same graph gives the same bytes.
public struct ModelWriter {
    private let graph: Graph
    private let wire = WireArena()
    /// Weights in file order, each at a multiple of 64.
    private var parts: [Constant] = []
    private var size = 0

    private init(_ graph: Graph) { self.graph = graph }

    /// Writes to a temporary name beside `path`, syncs and renames: the file is there whole or not at all. Weights go
    /// from where they are to the file, a constant at a time. Returns the file's size in bytes.
    @discardableResult
    public static func write(_ graph: Graph, to path: String) throws(ApusError) -> Int {
        var (writer, header) = try start(graph)
        writer.finishHeader(&header)
        try AtomicFile.write(to: path) { sink throws(ApusError) in
            try writer.put(header) { bytes throws(ApusError) in try sink.write(bytes) }
        }
        return header.count + writer.size
    }

    /// The file's bytes. Throws when the graph breaks a rule.
    public static func bytes(_ graph: Graph) throws(ApusError) -> [UInt8] {
        var (writer, file) = try start(graph)
        writer.finishHeader(&file)
        file.reserveCapacity(file.count + writer.size)
        let header = file
        file = []
        try writer.put(header) { bytes throws(ApusError) in file.append(contentsOf: bytes) }
        return file
    }

    private static func start(_ graph: Graph) throws(ApusError) -> (ModelWriter, header: [UInt8]) {
        _ = try ValidGraph(validating: graph)
        try FileLimits.check(graph)
        var writer = ModelWriter(graph)
        let message = writer.model()
        var header = [UInt8](repeating: 0, count: apus__model__get_packed_size(message))
        apus__model__pack(message, &header)
        return (writer, header)
    }

    // MARK: The end of the file

    /// Fills in the checksum and appends what stands before the weights.
    private func finishHeader(_ file: inout [UInt8]) {
        let prefix = 11
        let checksum = file.withUnsafeBytes { cs_crc32(0, $0.baseAddress! + prefix, $0.count - prefix) }
        for i in 0..<4 { file[7 + i] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(i))) }
        let weightsRecord = ModelWriter.key(15) + ModelWriter.varint(UInt64(size))
        // Two bytes of record for up to 127 bytes of padding.
        let unpadded = file.count + 2 + weightsRecord.count
        let padding = (64 - unpadded % 64) % 64
        file += ModelWriter.key(14) + ModelWriter.varint(UInt64(padding))
        file += [UInt8](repeating: 0, count: padding)
        file += weightsRecord
    }

    private func put(
        _ header: [UInt8], _ put: (UnsafeRawBufferPointer) throws(ApusError) -> Void
    ) throws(ApusError) {
        try header.withBytes(put)
        try forEachPart(put)
    }

    /// The weights piece by piece, with the zeros between them.
    private func forEachPart<E>(_ body: (UnsafeRawBufferPointer) throws(E) -> Void) throws(E) {
        for part in parts {
            try body(part.bytes)
            part.storage.discard()
            try [UInt8](repeating: 0, count: (64 - part.type.byteSize % 64) % 64).withBytes(body)
        }
    }

    private static func key(_ field: UInt8) -> [UInt8] { [field << 3 | 2] }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var value = value
        var bytes: [UInt8] = []
        while value >= 0x80 {
            bytes.append(UInt8(value & 0x7F) | 0x80)
            value >>= 7
        }
        return bytes + [UInt8(value)]
    }

    private func weightsHash() -> [UInt8] {
        var hash = cs_sha256()
        cs_sha256_begin(&hash)
        forEachPart { cs_sha256_update(&hash, $0.baseAddress, $0.count) }
        var digest = [UInt8](repeating: 0, count: 32)
        cs_sha256_end(&hash, &digest)
        return digest
    }

    // MARK: Messages

    private mutating func model() -> UnsafeMutablePointer<Apus__Model> {
        let dimensions = graph.dimensions.map { symbol in
            wire.message(apus__dimension__init) { (m: inout Apus__Dimension) in
                m.name = wire.string(symbol.name)
                m.minimum = UInt32(symbol.minimum)
                m.maximum = UInt32(symbol.maximum)
            }
        }
        var constants: [UnsafeMutablePointer<Apus__Constant>?] = []
        for constant in graph.constants {
            let data = span(constant)
            constants.append(
                wire.message(apus__constant__init) {
                    $0.name = wire.string(constant.name)
                    $0.type = type(constant.type)
                    $0.data = data
                })
        }
        var states: [UnsafeMutablePointer<Apus__State>?] = []
        for state in graph.states {
            let initial = state.initial.map { span($0) }
            states.append(
                wire.message(apus__state__init) {
                    $0.name = wire.string(state.name)
                    $0.type = type(state.type)
                    $0.role = Apus__State__Role(UInt32(state.role.rawValue))
                    $0.initial = initial
                })
        }
        let functions = graph.functions.map { function($0) }
        let metadata = graph.metadata.map { entry in
            wire.message(apus__metadata__init) { (m: inout Apus__Metadata) in
                m.key = wire.string(entry.key)
                m.value = wire.string(entry.value)
            }
        }
        var goldens: [UnsafeMutablePointer<Apus__Golden>?] = []
        for pair in graph.goldens { goldens.append(golden(pair)) }
        let hash = weightsHash()
        return wire.message(apus__model__init) {
            $0.signature = wire.string("APUS")
            // Never zero, so that the record is there to be filled in.
            $0.header_checksum = 1
            $0.format = wire.message(apus__version__init) { (m: inout Apus__Version) in m.major = 1 }
            $0.producer = wire.string(graph.producer)
            $0.name = wire.string(graph.name)
            ($0.n_dimensions, $0.dimensions) = list(dimensions)
            ($0.n_constants, $0.constants) = list(constants)
            ($0.n_states, $0.states) = list(states)
            ($0.n_functions, $0.functions) = list(functions)
            ($0.n_metadata, $0.metadata) = list(metadata)
            ($0.n_goldens, $0.goldens) = list(goldens)
            $0.weights_size = UInt64(size)
            $0.weights_hash = ProtobufCBinaryData(len: 32, data: wire.array(hash))
        }
    }

    private func function(_ function: Function) -> UnsafeMutablePointer<Apus__Function> {
        let inputs = function.inputs.map { input in
            wire.message(apus__input__init) { (m: inout Apus__Input) in
                m.name = wire.string(input.name)
                m.type = type(input.type)
                m.contract = input.contract.map { contract($0) }
            }
        }
        let nodes = function.nodes.map { node in
            wire.message(apus__node__init) { (m: inout Apus__Node) in
                m.name = wire.string(node.name)
                m.n_inputs = node.inputs.count
                m.inputs = wire.uint32s(node.inputs.map { number($0) })
                node.op.encode(to: &m, wire)
                let quantization = node.op.outputCodes.map { [Optional($0.quantization.encoded(wire))] } ?? []
                (m.n_output_quantization, m.output_quantization) = list(quantization)
                m.operator_case = node.op.entry.code
            }
        }
        let outputs = function.outputs.map { output in
            wire.message(apus__output__init) { (m: inout Apus__Output) in
                m.name = wire.string(output.name)
                m.operand = UInt32(number(output.operand))
                m.type = type(output.type)
                m.n_labels = output.labels.count
                m.labels = wire.array(output.labels.map { wire.string($0) })
            }
        }
        let updates = function.updates.map { update in
            wire.message(apus__update__init) { (m: inout Apus__Update) in
                m.state = UInt32(update.state)
                m.operand = UInt32(number(.local(update.local)))
            }
        }
        return wire.message(apus__function__init) {
            $0.name = wire.string(function.name)
            ($0.n_inputs, $0.inputs) = list(inputs)
            ($0.n_nodes, $0.nodes) = list(nodes)
            ($0.n_outputs, $0.outputs) = list(outputs)
            ($0.n_updates, $0.updates) = list(updates)
        }
    }

    private mutating func golden(_ golden: Golden) -> UnsafeMutablePointer<Apus__Golden> {
        var inputs: [UnsafeMutablePointer<Apus__Span>?] = []
        for tensor in golden.inputs { inputs.append(span(tensor)) }
        var outputs: [UnsafeMutablePointer<Apus__Span>?] = []
        for tensor in golden.outputs { outputs.append(span(tensor)) }
        let codes = golden.inputCodes(graph.functions[golden.function])
        let quantization = codes.map { $0?.quantization.encoded(wire) ?? wire.message(apus__quantization__init) { _ in } }
        let dimensions = golden.dimensions.enumerated().map { index, value in
            wire.message(apus__dimension_value__init) { (m: inout Apus__DimensionValue) in
                m.dimension = UInt32(index)
                m.value = UInt32(value)
            }
        }
        return wire.message(apus__golden__init) {
            $0.function = UInt32(golden.function)
            ($0.n_dimensions, $0.dimensions) = list(dimensions)
            ($0.n_inputs, $0.inputs) = list(inputs)
            ($0.n_outputs, $0.outputs) = list(outputs)
            if codes.contains(where: { $0 != nil }) {
                ($0.n_input_quantization, $0.input_quantization) = list(quantization)
            }
            $0.relative_tolerance = golden.relativeTolerance
            $0.absolute_tolerance = golden.absoluteTolerance
        }
    }

    private func contract(_ contract: InputContract) -> UnsafeMutablePointer<Apus__InputContract> {
        wire.message(apus__input_contract__init) {
            $0.layout = wire.string(contract.layout)
            $0.color = wire.string(contract.color)
            $0.raw_minimum = contract.rawRange.lowerBound
            $0.raw_maximum = contract.rawRange.upperBound
            $0.scale = contract.scale
            $0.n_mean = contract.mean.count
            $0.mean = wire.array(contract.mean)
            $0.n_std = contract.std.count
            $0.std = wire.array(contract.std)
        }
    }

    private func type(_ type: TensorType) -> UnsafeMutablePointer<Apus__TensorType> {
        wire.message(apus__tensor_type__init) {
            $0.dtype = Apus__DType(type.dtype.rawValue)
            $0.n_shape = type.shape.rank
            $0.shape = wire.int32s(type.shape.dimensions)
            switch type.layout {
            case .plain: $0.layout = APUS__LAYOUT__PLAIN
            case .panels: $0.layout = APUS__LAYOUT__PANELS
            case .panels4: $0.layout = APUS__LAYOUT__PANELS_4
            case .convPanels(let groups):
                $0.layout = APUS__LAYOUT__CONV_PANELS
                $0.groups = UInt32(groups)
            case .convPanels4(let groups):
                $0.layout = APUS__LAYOUT__CONV_PANELS_4
                $0.groups = UInt32(groups)
            case .winogradPanels(let tile):
                $0.layout = tile == 2 ? APUS__LAYOUT__WINOGRAD_2_PANELS : APUS__LAYOUT__WINOGRAD_4_PANELS
            }
            $0.quantization = type.quantization.map { $0.encoded(wire) }
        }
    }

    // MARK: Parts

    /// Places a tensor's bytes in the weights.
    private mutating func span(_ constant: Constant) -> UnsafeMutablePointer<Apus__Span> {
        let offset = size
        let count = constant.type.byteSize
        parts.append(constant)
        size += (count + 63) / 64 * 64
        return wire.message(apus__span__init) {
            $0.offset = UInt64(offset)
            $0.size = UInt64(count)
        }
    }

    private func list<M>(
        _ messages: [UnsafeMutablePointer<M>?]
    ) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<M>?>?) {
        (messages.count, messages.isEmpty ? nil : wire.array(messages))
    }

    private func number(_ operand: Operand) -> Int {
        switch operand {
        case .constant(let i): i
        case .state(let i): graph.constants.count + i
        case .local(let i): graph.constants.count + graph.states.count + i
        }
    }
}
