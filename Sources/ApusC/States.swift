import ApusGraph
import ApusRuntime
import CApus

// 7. States

@_cdecl("apus_session_reset_states") @implementation
public func apus_session_reset_states(_ handle: OpaquePointer!, _ error: UnsafeMutablePointer<apus_error>!)
    -> apus_status
{
    status(error) { () throws(ApusError) in try requireSession(handle).resetStates() }
}

@_cdecl("apus_session_states_size") @implementation
public func apus_session_states_size(_ handle: OpaquePointer!) -> Int { session(handle)?.statesSize ?? 0 }

@_cdecl("apus_session_save_states") @implementation
public func apus_session_save_states(
    _ handle: OpaquePointer!, _ data: UnsafeMutableRawPointer!, _ size: Int, _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        let session = try requireSession(handle)
        try session.saveStates(UnsafeMutableRawBufferPointer(start: try require(data, "data"), count: max(0, size)))
    }
}

@_cdecl("apus_session_load_states") @implementation
public func apus_session_load_states(
    _ handle: OpaquePointer!, _ data: UnsafeRawPointer!, _ size: Int, _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        let session = try requireSession(handle)
        try session.loadStates(UnsafeRawBufferPointer(start: try require(data, "data"), count: max(0, size)))
    }
}
