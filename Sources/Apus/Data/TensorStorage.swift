import ApusGraph
import Foundation

/// 64-byte aligned memory of a fixed size. It is written only while one `Tensor` alone holds it, so sharing it
/// between threads is safe.
final class TensorStorage: @unchecked Sendable {
    static let alignment = 64
    /// Refused at once: AddressSanitizer aborts on such a request, where malloc would fail.
    static let sizeLimit = 1 << 40

    private let base: UnsafeMutableRawPointer
    let byteCount: Int

    /// Uninitialized memory, or `.outOfMemory`: the size may come from a file.
    init(byteCount: Int) throws(ApusError) {
        var memory: UnsafeMutableRawPointer?
        guard byteCount <= Self.sizeLimit,
            posix_memalign(&memory, Self.alignment, Swift.max(byteCount, 1)) == 0, let memory
        else {
            throw ApusError(.outOfMemory, "no memory for a tensor of \(byteCount) bytes")
        }
        base = memory
        self.byteCount = byteCount
    }

    deinit { free(base) }

    /// Calls `body` with the memory, which lives at least as long as the call.
    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withExtendedLifetime(self) { () throws(Failure) in
            try body(UnsafeMutableRawBufferPointer(start: base, count: byteCount))
        }
    }

    func copy() throws(ApusError) -> TensorStorage {
        let result = try TensorStorage(byteCount: byteCount)
        withBytes { source in
            result.withBytes { $0.copyMemory(from: UnsafeRawBufferPointer(source)) }
        }
        return result
    }
}
