import ApusGraph
import ApusRuntime
import CApus

// 8. Profile

@_cdecl("apus_session_profile_count") @implementation
public func apus_session_profile_count(_ handle: OpaquePointer!, _ function: Int) -> Int {
    session(handle)?.profileCount(function: function) ?? 0
}

@_cdecl("apus_session_profile") @implementation
public func apus_session_profile(
    _ handle: OpaquePointer!, _ function: Int, _ step: Int, _ entry: UnsafeMutablePointer<apus_profile_entry>!,
    _ error: UnsafeMutablePointer<apus_error>!
) -> apus_status {
    status(error) { () throws(ApusError) in
        let session = try requireSession(handle)
        let entry = try require(entry, "entry")
        let found = try session.profileEntry(function: function, step: step)
        let names = session.model.names
        entry.pointee.node = found.node.map { names.nodes[function][$0] } ?? copyName
        entry.pointee.operator_name = found.node.map { names.operators[function][$0] } ?? copyName
        entry.pointee.isa = InstructionSet.text(found.isa)
        entry.pointee.runs = found.runs
        entry.pointee.nanoseconds = found.nanoseconds
        entry.pointee.operations = found.operations
        entry.pointee.bytes = found.bytes
    }
}

private var copyName: Names.Text {
    let name: StaticString = "copy\0"
    return UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
}
