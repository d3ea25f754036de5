import ApusGraph
public import CModelFormat
import CSystem

/// What unpacking may allocate, so that a small file cannot ask for much memory.
public struct Budget {
    var remaining: Int
    var ranOutOfMemory = false

    public init(remaining: Int) { self.remaining = remaining }
}

/// Calls `body` with an allocator that takes from the budget and fails when it is spent.
public func withAllocator<R>(
    _ budget: inout Budget, _ body: (inout ProtobufCAllocator) throws(ApusError) -> R
) throws(ApusError) -> R {
    var result: Result<R, ApusError> = .failure(.file("not read"))
    withUnsafeMutablePointer(to: &budget) { pointer in
        var allocator = ProtobufCAllocator(
            alloc: { data, size in
                let budget = data!.assumingMemoryBound(to: Budget.self)
                guard size <= budget.pointee.remaining else { return nil }
                budget.pointee.remaining -= size
                let memory = cs_allocate(size, 16)
                if memory == nil { budget.pointee.ranOutOfMemory = true }
                return memory
            },
            free: { _, memory in cs_free(memory) },
            allocator_data: pointer)
        do throws(ApusError) { result = .success(try body(&allocator)) } catch { result = .failure(error) }
    }
    if budget.ranOutOfMemory { throw ApusError(.outOfMemory, "no memory to read the message") }
    switch result {
    case .success(let value): return value
    case .failure(let error): throw error
    }
}
