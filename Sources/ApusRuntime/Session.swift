import ApusGraph
import CKernels
import CSystem

/// A model's working memory, in one block: states, arena and bound steps. A handle; `destroy` ends it.
///
/// One thread at a time may use a session. Every method with an index is checked; `run` checks nothing.
public struct Session {
    let header: UnsafeMutablePointer<SessionHeader>

    /// The session at an address that `handle` gave.
    public init(handle: UnsafeMutableRawPointer) {
        header = handle.assumingMemoryBound(to: SessionHeader.self)
    }

    /// The start of the block.
    public var handle: UnsafeMutableRawPointer { UnsafeMutableRawPointer(header) }

    public static func memorySize(_ model: Model, _ options: SessionOptions = SessionOptions()) throws(ApusError) -> Int {
        try SessionPlan(model, options).memorySize
    }

    /// Stages 4–6 for an opened model.
    public init(_ model: Model, _ options: SessionOptions = SessionOptions()) throws(ApusError) {
        let plan = try SessionPlan(model, options)
        let size = plan.memorySize
        let memory = try Session.memory(size, options)
        var cursor = BlockCursor(memory)
        header = plan.bind(&cursor)!
        header.pointee.size = size
        header.pointee.ownsMemory = options.memory == nil
        header.pointee.release = options.release
        header.pointee.allocatorContext = options.allocatorContext
        header.pointee.parallelFor = options.parallelFor
        header.pointee.parallelContext = options.parallelContext
        if let pool = header.pointee.pool, cs_pool_start(pool, plan.lanes) != 0 {
            Session.free(header)
            throw ApusError(.threadError, "could not start \(plan.lanes) threads")
        }
        _ = header.pointee.model.retain()
        resetStates()
    }

    /// Ends the threads and frees the memory, unless the caller provided it.
    public func destroy() {
        if let pool = header.pointee.pool { cs_pool_stop(pool) }
        let model = header.pointee.model
        Session.free(header)
        model.release()
    }

    private static func memory(_ size: Int, _ options: SessionOptions) throws(ApusError) -> UnsafeMutableRawPointer {
        if let memory = options.memory {
            guard let base = memory.baseAddress, isAligned(base) else { throw unaligned }
            guard memory.count >= size else {
                throw ApusError(.outOfMemory, "session memory of \(memory.count) bytes, wanted \(size)")
            }
            return base
        }
        let block = options.allocate.map { $0(options.allocatorContext, size, 64) } ?? cs_allocate(size, 64)
        guard let block else { throw ApusError(.outOfMemory, "no memory for a session of \(size) bytes") }
        guard isAligned(block) else {
            options.release?(options.allocatorContext, block, size)
            throw unaligned
        }
        return block
    }

    private static func isAligned(_ memory: UnsafeMutableRawPointer) -> Bool { Int(bitPattern: memory) % 64 == 0 }
    private static var unaligned: ApusError { .argument("session memory that is not aligned to 64 bytes") }

    private static func free(_ header: UnsafeMutablePointer<SessionHeader>) {
        guard header.pointee.ownsMemory else { return }
        if let release = header.pointee.release {
            release(header.pointee.allocatorContext, header, header.pointee.size)
        } else {
            cs_free(header)
        }
    }

    public var model: Model { header.pointee.model.takeUnretainedValue() }
    public var isProfiled: Bool { header.pointee.functionCount > 0 && header.pointee.functions[0].times != nil }

    // MARK: Stage 7

    /// Runs a function that measures no dimension: allocates nothing, checks nothing.
    public func runSteps(function index: Int) {
        let function = header.pointee.functions + index
        run(function, 0..<function.pointee.stepCount)
    }

    /// Whether a run finds the values of symbolic dimensions.
    public func measures(function index: Int) -> Bool { header.pointee.functions[index].measureCount > 0 }

    /// Runs a function. After each dimension that it measures, what follows is planned for its value; that may throw.
    public func run(function index: Int = 0) throws(ApusError) {
        let function = header.pointee.functions + index
        var first = 0
        for i in 0..<function.pointee.measureCount {
            let measure = function.pointee.measures[i]
            run(function, first..<measure.step)
            try adopt(measure, function: index)
            first = measure.step
        }
        run(function, first..<function.pointee.stepCount)
    }

    private func run(_ function: UnsafeMutablePointer<BoundFunction>, _ range: Range<Int>) {
        let mode = cs_float_begin()
        defer { cs_float_end(mode) }
        if function.pointee.times != nil { return profile(function, range) }
        let steps = function.pointee.steps
        if header.pointee.lanes == 1 {
            for i in range { runAlone(steps + i) }
        } else {
            for i in range { split(steps + i) }
        }
    }

    private func profile(_ function: UnsafeMutablePointer<BoundFunction>, _ range: Range<Int>) {
        guard let times = function.pointee.times else { return }
        for i in range {
            let start = cs_nanoseconds()
            split(function.pointee.steps + i)
            times[i].nanoseconds &+= cs_nanoseconds() &- start
            times[i].runs &+= 1
        }
    }

    private func split(_ step: UnsafeMutablePointer<Step>) {
        if step.pointee.lanes <= 1 { return runAlone(step) }
        for lane in 0..<step.pointee.lanes { step.pointee.taken[lane &* CS_TAKEN] = 0 }
        if let parallelFor = header.pointee.parallelFor {
            parallelFor(header.pointee.parallelContext, step.pointee.lanes, runHostLane, step)
        } else {
            cs_pool_run(header.pointee.pool, runLane, step)
        }
        turn(step)
    }

    /// A step that only goes forward is one call and no more: some are over in nanoseconds.
    @inline(__always)
    private func runAlone(_ step: UnsafeMutablePointer<Step>) {
        if step.pointee.piece == 0 {
            return step.pointee.task(step.pointee.params, step.pointee.operands, 0, step.pointee.units, 0)
        }
        step.pointee.run(0..<step.pointee.units, lane: 0)
        turn(step)
    }

    private func turn(_ step: UnsafeMutablePointer<Step>) {
        // Written where it changes alone: the other threads have the line in their caches.
        if step.pointee.piece > 0 { step.pointee.isBackward.toggle() }
    }

    // MARK: Memory sizes

    public var memorySize: Int { header.pointee.size }
}

/// Every lane takes pieces of the step until all its units are taken: any number of lanes may come, in any order.
@inline(never)
private func runLane(_ context: UnsafeMutableRawPointer?, _ lane: Int) {
    let step = context!.assumingMemoryBound(to: Step.self).pointee
    guard lane >= 0 && lane < step.lanes else { return }
    step.share(lane: lane)
}

/// The same on a thread of the host's.
private func runHostLane(_ context: UnsafeMutableRawPointer?, _ lane: Int) {
    let mode = cs_float_begin()
    runLane(context, lane)
    cs_float_end(mode)
}
