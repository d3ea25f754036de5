import ApusGraph
import ApusRuntime
import CApus

// 4. Sessions

@_cdecl("apus_session_options_init") @implementation
public func apus_session_options_init(_ options: UnsafeMutablePointer<apus_session_options>!) {
    guard let options else { return }
    options.pointee = apus_session_options()
    options.pointee.struct_size = MemoryLayout<apus_session_options>.size
    options.pointee.threads = 1
}

@_cdecl("apus_session_memory_size") @implementation
public func apus_session_memory_size(
    _ handle: OpaquePointer!, _ options: UnsafePointer<apus_session_options>!, _ size: UnsafeMutablePointer<Int>!,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        let model = try requireModel(handle)
        let size = try require(size, "size")
        size.pointee = try Session.memorySize(model, try sessionOptions(options))
    }
}

@_cdecl("apus_session_create") @implementation
public func apus_session_create(
    _ handle: OpaquePointer!, _ options: UnsafePointer<apus_session_options>!,
    _ session: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    session?.pointee = nil
    return status(error, undo: { destroy(session) }) { () throws(ApusError) in
        let result = try require(session, "session")
        let model = try requireModel(handle)
        result.pointee = OpaquePointer(try Session(model, try sessionOptions(options)).handle)
    }
}

@_cdecl("apus_session_destroy") @implementation
public func apus_session_destroy(_ handle: OpaquePointer!) { session(handle)?.destroy() }

@_cdecl("apus_session_set_dimension") @implementation
public func apus_session_set_dimension(
    _ handle: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ size: Int64, _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        try requireSession(handle).setDimension(try requireText(name, "name"), Int(size))
    }
}

@_cdecl("apus_session_input_info") @implementation
public func apus_session_input_info(
    _ handle: OpaquePointer!, _ function: Int, _ input: Int, _ info: UnsafeMutablePointer<apus_tensor_info>!,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        let session = try requireSession(handle)
        try fill(info, session.model, .input, function, input, dimensions: session.dimensions)
    }
}

@_cdecl("apus_session_output_info") @implementation
public func apus_session_output_info(
    _ handle: OpaquePointer!, _ function: Int, _ output: Int, _ info: UnsafeMutablePointer<apus_tensor_info>!,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        let session = try requireSession(handle)
        try fill(info, session.model, .output, function, output, dimensions: session.dimensions)
    }
}

func destroy(_ session: UnsafeMutablePointer<OpaquePointer?>?) {
    apus_session_destroy(session?.pointee)
    session?.pointee = nil
}

func sessionOptions(_ pointer: UnsafePointer<apus_session_options>?) throws(ApusError) -> SessionOptions {
    var result = SessionOptions()
    guard let options = pointer?.pointee else { return result }
    guard options.struct_size == MemoryLayout<apus_session_options>.size else {
        throw .argument(
            "options.struct_size is \(options.struct_size), wanted \(MemoryLayout<apus_session_options>.size): "
                + "call apus_session_options_init first")
    }
    result.threads = Int(options.threads)
    result.parallelFor = options.parallel_for
    result.parallelContext = options.parallel_context
    if let memory = options.memory {
        guard options.memory_size >= 0 else { throw .argument("options.memory_size is too large") }
        result.memory = UnsafeMutableRawBufferPointer(start: memory, count: options.memory_size)
    }
    guard (options.allocate == nil) == (options.release == nil) else {
        throw .argument("options.allocate and options.release, wanted both or neither")
    }
    result.allocate = options.allocate
    result.release = options.release
    result.allocatorContext = options.allocator_context
    if options.dimension_count != 0 {
        guard options.dimension_count > 0 && options.dimension_count <= 256 else {
            throw .argument("\(options.dimension_count) dimension limits, wanted at most 256")
        }
        let dimensions = try require(options.dimensions, "options.dimensions")
        for i in 0..<options.dimension_count {
            result.dimensionLimits.append(
                (try requireText(dimensions[i].name, "dimension name"), Int(dimensions[i].maximum)))
        }
    }
    result.profile = options.profile != 0
    return result
}
