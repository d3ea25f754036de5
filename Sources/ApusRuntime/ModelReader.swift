import ApusGraph
import CModelFormat
import CSystem

/// Stage 2: header → graph of typed operators. Copies everything out of the mapping; nothing is trusted yet.
public struct ModelReader {
    /// The newest format this library reads.
    public static let formatMajor = 1

    private let file: ModelFile
    private let graph = Graph()
    private let counts = Counts()

    private init(_ file: ModelFile) { self.file = file }

    public static func read(_ file: ModelFile) throws(ApusError) -> Graph {
        try unpacked(file) { model throws(ApusError) in
            let reader = ModelReader(file)
            try reader.read(model)
            return reader.graph
        }
    }

    /// The hash that the header gives for the weights; empty where it gives none.
    public static func weightsHash(_ file: ModelFile) throws(ApusError) -> [UInt8] {
        try unpacked(file) { model throws(ApusError) in
            let hash = model.weights_hash
            return hash.data == nil ? [] : Array(UnsafeBufferPointer(start: hash.data, count: hash.len))
        }
    }

    private static func unpacked<R>(
        _ file: ModelFile, _ body: (Apus__Model) throws(ApusError) -> R
    ) throws(ApusError) -> R {
        var budget = Budget(remaining: FileLimits.messageMemory(file.header.count))
        return try withAllocator(&budget) { allocator throws(ApusError) in
            let bytes = file.header.bindMemory(to: UInt8.self)
            guard let model = apus__model__unpack(&allocator, bytes.count, bytes.baseAddress) else {
                throw .file("the header is not a valid message, or needs more memory than its size allows")
            }
            defer { apus__model__free_unpacked(model, &allocator) }
            return try body(model.pointee)
        }
    }

    private func read(_ model: Apus__Model) throws(ApusError) {
        if let format = model.format?.pointee, format.major > ModelReader.formatMajor {
            throw .unsupported("format \(format.major).\(format.minor) needs Apus ≥ \(format.major).\(format.minor)")
        }
        guard model.weights_size == UInt64(file.bytes.count) else {
            throw .file("weights of \(file.bytes.count) bytes, wanted \(model.weights_size)")
        }
        try checkCounts(model)
        graph.name = text(model.name)
        graph.producer = text(model.producer)
        for i in 0..<model.n_dimensions {
            let symbol = model.dimensions[i]!.pointee
            guard symbol.minimum <= symbol.maximum else {
                throw .file("dimension '\(text(symbol.name))' from \(symbol.minimum) to \(symbol.maximum)")
            }
            graph.dimensions.append(
                SymbolicDimension(text(symbol.name), Int(symbol.minimum)...Int(symbol.maximum)))
        }
        for i in 0..<model.n_constants {
            let constant = model.constants[i]!.pointee
            let type = try tensorType(constant.type, text(constant.name))
            graph.constants.append(try span(constant.data, type, text(constant.name)))
        }
        for i in 0..<model.n_states {
            let state = model.states[i]!.pointee
            let name = text(state.name)
            let type = try tensorType(state.type, name)
            guard let role = State.Role(rawValue: UInt32(state.role.rawValue)) else {
                throw .file("state '\(name)': role \(state.role.rawValue)")
            }
            let initial = state.initial == nil ? nil : try span(state.initial, type, name)
            graph.states.append(State(name, type, role, initial: initial))
        }
        for i in 0..<model.n_functions { try read(model.functions[i]!.pointee) }
        for i in 0..<model.n_metadata {
            let entry = model.metadata[i]!.pointee
            graph.metadata.append((text(entry.key), text(entry.value)))
        }
        for i in 0..<model.n_goldens { try read(model.goldens[i]!.pointee) }
    }

    /// Before anything is made of them.
    private func checkCounts(_ model: Apus__Model) throws(ApusError) {
        try FileLimits.check(model.n_dimensions, FileLimits.dimensions, "dimensions")
        try FileLimits.check(model.n_functions, FileLimits.functions, "functions")
        try FileLimits.check(model.n_metadata, FileLimits.metadata, "entries of metadata")
        try FileLimits.check(model.n_goldens, FileLimits.goldens, "golden pairs")
        var values = model.n_constants + model.n_states, labels = 0
        for i in 0..<model.n_functions {
            let function = model.functions[i]!.pointee
            values += function.n_inputs + function.n_nodes + function.n_outputs + function.n_updates
            for j in 0..<function.n_outputs { labels += function.outputs[j]!.pointee.n_labels }
        }
        try FileLimits.check(values, FileLimits.values, "constants, states, inputs, nodes, outputs and updates")
        try FileLimits.check(labels, FileLimits.labels, "labels")
        var operands = 0
        for i in 0..<model.n_functions {
            let function = model.functions[i]!.pointee
            for j in 0..<function.n_nodes { operands += function.nodes[j]!.pointee.n_inputs }
        }
        try FileLimits.check(operands, FileLimits.operands, "inputs of nodes")
    }

    private func read(_ message: Apus__Function) throws(ApusError) {
        var function = Function(text(message.name))
        for i in 0..<message.n_inputs {
            let input = message.inputs[i]!.pointee
            function.inputs.append(
                FunctionInput(
                    text(input.name), try tensorType(input.type, text(input.name)),
                    contract: input.contract.map { contract($0.pointee) }))
        }
        for i in 0..<message.n_nodes {
            let node = message.nodes[i]!.pointee
            let name = text(node.name)
            do throws(ApusError) {
                guard node.version == 0 else {
                    throw .unsupported("operator version \(node.version), wanted 0: needs a newer Apus")
                }
                var inputs: [Operand] = []
                for j in 0..<node.n_inputs { inputs.append(operand(node.inputs[j])) }
                let op = try operatorTable.decode(node)
                guard node.n_output_quantization == 0 || op.outputCodes != nil else {
                    throw .file("output quantization of \(op.name), which takes none")
                }
                counts.results += op.outputCount
                try FileLimits.check(counts.results, FileLimits.results, "outputs of nodes")
                function.nodes.append(Node(name, op, inputs))
            } catch {
                throw error.within("node '\(name)'")
            }
        }
        for i in 0..<message.n_outputs {
            let output = message.outputs[i]!.pointee
            var labels: [String] = []
            for j in 0..<output.n_labels { labels.append(text(output.labels[j])) }
            function.outputs.append(
                FunctionOutput(
                    text(output.name), operand(output.operand), try tensorType(output.type, text(output.name)),
                    labels: labels))
        }
        for i in 0..<message.n_updates {
            let update = message.updates[i]!.pointee
            guard case .local(let local) = operand(update.operand) else {
                throw .file("function '\(function.name)': an update from a value that no node makes")
            }
            function.updates.append(StateUpdate(state: Int(update.state), local: local))
        }
        graph.functions.append(function)
    }

    private func read(_ message: Apus__Golden) throws(ApusError) {
        guard message.function < graph.functions.count else {
            throw .file("golden pair of function \(message.function), wanted 0 ..< \(graph.functions.count)")
        }
        let function = graph.functions[Int(message.function)]
        guard message.n_inputs == function.inputs.count, message.n_outputs == function.outputs.count else {
            throw .file("golden pair of function '\(function.name)' with a wrong number of tensors")
        }
        var dimensions = graph.maxima
        for i in 0..<message.n_dimensions {
            let value = message.dimensions[i]!.pointee
            guard value.dimension < dimensions.count else {
                throw .file("golden pair sets dimension \(value.dimension), wanted 0 ..< \(dimensions.count)")
            }
            dimensions[Int(value.dimension)] = Int(value.value)
        }
        var inputs: [Constant] = []
        for (i, input) in function.inputs.enumerated() {
            let type = try stored(try input.type.resolved(dimensions), message, i)
            inputs.append(try span(message.inputs[i], type, input.name))
        }
        var outputs: [Constant] = []
        for (i, output) in function.outputs.enumerated() {
            outputs.append(try span(message.outputs[i], try output.type.resolved(dimensions), output.name))
        }
        graph.goldens.append(
            Golden(
                function: Int(message.function), dimensions: dimensions, inputs: inputs, outputs: outputs,
                relativeTolerance: message.relative_tolerance, absoluteTolerance: message.absolute_tolerance))
    }

    /// How a golden pair stores an input of some type.
    private func stored(_ type: TensorType, _ message: Apus__Golden, _ input: Int) throws(ApusError) -> TensorType {
        guard input < message.n_input_quantization, let quantization = message.input_quantization[input]?.pointee,
            quantization.n_scales > 0
        else { return type }
        guard type.dtype == .f32 else { throw .file("golden pair of codes for an input of \(type), wanted f32") }
        return try CodeScale(wire: quantization, of: "golden input").type(type.shape)
    }

    private func contract(_ message: Apus__InputContract) -> InputContract {
        var contract = InputContract()
        contract.layout = text(message.layout)
        contract.color = text(message.color)
        if message.raw_minimum <= message.raw_maximum {
            contract.rawRange = message.raw_minimum...message.raw_maximum
        }
        contract.scale = message.scale
        for i in 0..<message.n_mean { contract.mean.append(message.mean[i]) }
        for i in 0..<message.n_std { contract.std.append(message.std[i]) }
        return contract
    }

    /// The flat numbering of the file: constants, states, then locals.
    private func operand(_ number: UInt32) -> Operand {
        var index = Int(number)
        if index < graph.constants.count { return .constant(index) }
        index -= graph.constants.count
        if index < graph.states.count { return .state(index) }
        return .local(index - graph.states.count)
    }

    private func tensorType(_ message: UnsafeMutablePointer<Apus__TensorType>?, _ name: String) throws(ApusError)
        -> TensorType
    {
        guard let message = message?.pointee else { throw .file("'\(name)' has no type") }
        guard let dtype = DType(rawValue: UInt32(message.dtype.rawValue)) else {
            throw .file("'\(name)': element type \(message.dtype.rawValue), wanted 1 ... 13")
        }
        guard message.n_shape <= Shape.maximumRank else {
            throw .file("'\(name)': rank \(message.n_shape), wanted at most \(Shape.maximumRank)")
        }
        var shape = Shape()
        for i in 0..<message.n_shape { shape.append(Int(message.shape[i])) }
        let groups = max(1, Int(message.groups))
        let layout: Layout
        switch message.layout {
        case APUS__LAYOUT__PLAIN: layout = .plain
        case APUS__LAYOUT__PANELS: layout = .panels
        case APUS__LAYOUT__CONV_PANELS: layout = .convPanels(groups: groups)
        case APUS__LAYOUT__PANELS_4: layout = .panels4
        case APUS__LAYOUT__CONV_PANELS_4: layout = .convPanels4(groups: groups)
        case APUS__LAYOUT__WINOGRAD_2_PANELS: layout = .winogradPanels(tile: 2)
        case APUS__LAYOUT__WINOGRAD_4_PANELS: layout = .winogradPanels(tile: 4)
        default: throw .file("'\(name)': layout \(message.layout.rawValue), wanted 0 ... 6")
        }
        var type = TensorType(dtype, shape, layout: layout)
        if let quantization = message.quantization?.pointee {
            do throws(ApusError) {
                type.quantization = try Quantization(wire: quantization)
            } catch {
                throw error.within("'\(name)'")
            }
        }
        return type
    }

    private func span(
        _ message: UnsafeMutablePointer<Apus__Span>?, _ type: TensorType, _ name: String
    ) throws(ApusError) -> Constant {
        guard let message = message?.pointee else { throw .file("'\(name)' has no data") }
        let end = message.offset.addingReportingOverflow(message.size)
        guard message.offset % 64 == 0, !end.overflow, end.partialValue <= UInt64(file.bytes.count) else {
            throw .file(
                "'\(name)': \(message.size) bytes at \(message.offset) of \(file.bytes.count) bytes of weights, "
                    + "wanted within them and aligned to 64")
        }
        try type.check()
        guard message.size == UInt64(type.byteSize) else {
            throw .file("'\(name)': \(message.size) bytes, wanted \(type.byteSize) for \(type)")
        }
        return Constant(name, type, file, offset: Int(message.offset))
    }

    @inline(never)
    private func text(_ characters: UnsafePointer<CChar>?) -> String {
        guard let characters else { return "" }
        return String(cString: characters)
    }
}

/// What is counted while reading.
private final class Counts {
    var results = 0
}
