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
        try session.setInput(function: function, input, try requireMemory(data, size, "data"))
    }
}

@_cdecl("apus_session_get_output") @implementation
public func apus_session_get_output(
    _ handle: OpaquePointer!, _ function: Int, _ output: Int, _ data: UnsafeMutableRawPointer!, _ size: Int,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        let session = try requireSession(handle)
        let bytes = UnsafeMutableRawBufferPointer(mutating: try requireMemory(data, size, "data"))
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
        try bind(handle, .input, function, input, UnsafeMutableRawPointer(mutating: data), size)
    }
}

@_cdecl("apus_session_bind_output") @implementation
public func apus_session_bind_output(
    _ handle: OpaquePointer!, _ function: Int, _ output: Int, _ data: UnsafeMutableRawPointer!, _ size: Int,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        try bind(handle, .output, function, output, data, size)
    }
}

private func bind(
    _ handle: SessionHandle?, _ edge: Session.Edge, _ function: Int, _ index: Int, _ data: UnsafeMutableRawPointer?, _ size: Int
) throws(ApusError) {
    let session = try requireSession(handle)
    guard data == nil || size >= 0 else { throw .argument("size is too large") }
    try session.bind(edge, function: function, index, data, size: size)
}
