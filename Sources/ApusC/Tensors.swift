import ApusGraph
import ApusRuntime
import CApus

// 5. Tensors in and out

@_cdecl("apus_session_set_input") @implementation
public func apus_session_set_input(
    _ handle: OpaquePointer!, _ function: Int, _ input: Int, _ data: UnsafeRawPointer!, _ size: Int,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        let session = try requireSession(handle)
        let bytes = UnsafeRawBufferPointer(start: try require(data, "data"), count: max(0, size))
        try session.setInput(function: function, input, bytes)
    }
}

@_cdecl("apus_session_get_output") @implementation
public func apus_session_get_output(
    _ handle: OpaquePointer!, _ function: Int, _ output: Int, _ data: UnsafeMutableRawPointer!, _ size: Int,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        let session = try requireSession(handle)
        let bytes = UnsafeMutableRawBufferPointer(start: try require(data, "data"), count: max(0, size))
        try session.getOutput(function: function, output, bytes)
    }
}

@_cdecl("apus_session_input_data") @implementation
public func apus_session_input_data(_ handle: OpaquePointer!, _ function: Int, _ input: Int)
    -> UnsafeMutableRawPointer!
{
    guard let session = session(handle), session.has(.input, function: function, input) else { return nil }
    do throws(ApusError) {
        guard !(try session.isBound(.input, function: function, input)) else { return nil }
        let address = try session.address(.input, function: function, input)
        try session.markSet(function: function, input: input)
        return address
    } catch { return nil }
}

@_cdecl("apus_session_output_data") @implementation
public func apus_session_output_data(_ handle: OpaquePointer!, _ function: Int, _ output: Int) -> UnsafeRawPointer! {
    guard let session = session(handle), session.has(.output, function: function, output) else { return nil }
    do throws(ApusError) {
        return UnsafeRawPointer(try session.address(.output, function: function, output))
    } catch { return nil }
}

@_cdecl("apus_session_bind_input") @implementation
public func apus_session_bind_input(
    _ handle: OpaquePointer!, _ function: Int, _ input: Int, _ data: UnsafeRawPointer!, _ size: Int,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        let memory = data.map { UnsafeMutableRawPointer(mutating: $0) }
        try requireSession(handle).bind(.input, function: function, input, memory, size: size)
    }
}

@_cdecl("apus_session_bind_output") @implementation
public func apus_session_bind_output(
    _ handle: OpaquePointer!, _ function: Int, _ output: Int, _ data: UnsafeMutableRawPointer!, _ size: Int,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        try requireSession(handle).bind(.output, function: function, output, data, size: size)
    }
}
