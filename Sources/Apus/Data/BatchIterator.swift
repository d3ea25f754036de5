import ApusGraph
import Foundation

/// Hands out batches that a background thread makes ahead. One thread at a time may call `next`.
public final class BatchIterator: IteratorProtocol {
    private let queue: BatchQueue

    init(_ batches: Batches, ahead: Int) {
        let queue = BatchQueue(capacity: ahead)
        self.queue = queue
        let thread = Thread {
            for position in batches.start..<batches.count {
                guard let batch = try? batches.batch(at: position) else {
                    fatalError("no memory for a batch of \(batches.size) samples")
                }
                guard queue.put(batch) else { return }
            }
            queue.finish()
        }
        thread.name = "apus-batches"
        thread.start()
    }

    deinit { queue.cancel() }

    public func next() -> Batch? { queue.take() }
}

/// A bounded queue between one producer and one consumer.
private final class BatchQueue: @unchecked Sendable {
    private let condition = NSCondition()
    private let capacity: Int
    private var waiting: [Batch] = []
    private var isFinished = false
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

    func finish() {
        condition.lock()
        isFinished = true
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
