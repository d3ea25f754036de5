import ApusGraph
import Foundation

/// Hands out batches that a background thread makes ahead. One thread at a time may call `next`, which ends early where a
/// batch could not be made; `check` tells.
public final class BatchIterator: IteratorProtocol {
    private let queue: BatchQueue

    init(_ batches: Batches, ahead: Int) {
        let queue = BatchQueue(capacity: ahead)
        self.queue = queue
        let thread = Thread {
            for position in batches.start..<batches.count {
                do throws(ApusError) {
                    guard queue.put(try batches.batch(at: position)) else { return }
                } catch {
                    return queue.finish(error)
                }
            }
            queue.finish()
        }
        thread.name = "apus-batches"
        thread.start()
    }

    deinit { queue.cancel() }

    public func next() -> Batch? { queue.take() }

    /// Throws what kept the next batch from being made, once `next` has given nil.
    public func check() throws(ApusError) {
        if let failure = queue.failure { throw failure }
    }
}

/// A bounded queue between one producer and one consumer.
private final class BatchQueue: @unchecked Sendable {
    private let condition = NSCondition()
    private let capacity: Int
    private var waiting: [Batch] = []
    private var isFinished = false
    private var error: ApusError?
    private var isCancelled = false

    init(capacity: Int) { self.capacity = capacity }

    /// Waits for room; false if nobody wants the batch any more.
    func put(_ batch: Batch) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        while waiting.count >= capacity, !isCancelled { condition.wait() }
        if isCancelled { return false }
        waiting.append(batch)
        condition.signal()
        return true
    }

    /// Waits for a batch; nil after the last.
    func take() -> Batch? {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty, !isFinished { condition.wait() }
        guard !waiting.isEmpty else { return nil }
        condition.signal()
        return waiting.removeFirst()
    }

    var failure: ApusError? {
        condition.lock()
        defer { condition.unlock() }
        return error
    }

    func finish(_ error: ApusError? = nil) {
        condition.lock()
        isFinished = true
        self.error = error
        condition.signal()
        condition.unlock()
    }

    func cancel() {
        condition.lock()
        isCancelled = true
        condition.signal()
        condition.unlock()
    }
}
