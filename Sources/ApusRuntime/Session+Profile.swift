import ApusGraph
import CKernels

/// What profiled runs measured of one step.
public struct ProfileEntry {
    /// Index of the node; nil for a copy that the plan added.
    public let node: Int?
    public let isa: ck_isa
    public let runs: UInt64
    /// Over all runs.
    public let nanoseconds: UInt64
    /// Of one run.
    public let operations: UInt64
    public let bytes: UInt64
}

extension Session {
    /// The steps of a function in running order; empty unless the session was made with `profile`.
    public func profileCount(function: Int) -> Int {
        guard function >= 0 && function < functionCount, isProfiled else { return 0 }
        return header.pointee.functions[function].stepCount
    }

    public func profileEntry(function: Int, step: Int) throws(ApusError) -> ProfileEntry {
        guard isProfiled else { throw .argument("a session without profile") }
        let count = profileCount(function: function)
        guard step >= 0 && step < count, let times = header.pointee.functions[function].times else {
            throw .argument("step \(step) of function \(function), wanted 0 ..< \(count)")
        }
        let time = times[step]
        return ProfileEntry(
            node: time.node < 0 ? nil : time.node, isa: time.isa, runs: time.runs, nanoseconds: time.nanoseconds,
            operations: time.operations, bytes: time.bytes)
    }
}
