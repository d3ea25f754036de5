import ApusGraph
import ApusRuntime
import CApus

// 6. Running

@_cdecl("apus_session_run") @implementation
public func apus_session_run(_ handle: OpaquePointer!, _ error: UnsafeMutablePointer<apus_error>!) -> apus_status {
    apus_session_run_function(handle, 0, error)
}

@_cdecl("apus_session_run_function") @implementation
public func apus_session_run_function(
    _ handle: OpaquePointer!, _ function: Int, _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    if let session = session(handle), session.isReady(function: function) {
        if !session.measures(function: function) {
            session.runSteps(function: function)
            return APUS_OK
        }
        return status(error) { () throws(ApusError) in try session.run(function: function) }
    }
    return status(error) { () throws(ApusError) in try requireSession(handle).checkReady(function: function) }
}
