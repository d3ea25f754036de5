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
        try session.saveStates(UnsafeMutableRawBufferPointer(mutating: try requireMemory(data, size, "data")))
    }
}

@_cdecl("apus_session_load_states") @implementation
public func apus_session_load_states(
    _ handle: OpaquePointer!, _ data: UnsafeRawPointer!, _ size: Int, _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        let session = try requireSession(handle)
        try session.loadStates(try requireMemory(data, size, "data"))
    }
}

@_cdecl("apus_session_copy_states") @implementation
public func apus_session_copy_states(
    _ handle: OpaquePointer!, _ source: OpaquePointer!, _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    if let session = session(handle), let source = ApusC.session(source), session.hasStates(of: source) {
        session.copyStates(of: source)
        return APUS_OK
    }
    return status(error) { () throws(ApusError) in try requireSession(handle).copyStates(from: try requireSession(source)) }
}

@_cdecl("apus_session_fork") @implementation
public func apus_session_fork(
    _ handle: OpaquePointer!, _ options: UnsafePointer<apus_session_options>!,
    _ fork: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    fork?.pointee = nil
    return status(error, undo: { destroy(fork) }) { () throws(ApusError) in
        let result = try require(fork, "fork")
        let session = try requireSession(handle)
        let copy = try Session(session.model, try sessionOptions(options))
        result.pointee = OpaquePointer(copy.handle)
        try copy.copyDimensions(from: session)
        try copy.copyStates(from: session)
    }
}

@_cdecl("apus_model_state_count") @implementation
public func apus_model_state_count(_ handle: OpaquePointer!) -> Int { model(handle)?.graph.states.count ?? 0 }

@_cdecl("apus_model_state_info") @implementation
public func apus_model_state_info(
    _ handle: OpaquePointer!, _ state: Int, _ info: UnsafeMutablePointer<apus_tensor_info>!,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        let model = try requireModel(handle)
        let info = try require(info, "info")
        guard let name = element(model.names.states, state) else {
            throw .argument("state \(state), wanted 0 ..< \(model.names.states.count)")
        }
        let type = model.graph.states[state].type
        fill(info, name, declared: type, type)
    }
}

@_cdecl("apus_session_state_data") @implementation
public func apus_session_state_data(_ handle: OpaquePointer!, _ state: Int) -> UnsafeMutableRawPointer! {
    guard let session = session(handle), state >= 0 && state < session.stateCount else { return nil }
    return session.state(state).baseAddress
}
