import ApusGraph
import CKernels
import CSystem

/// One step as run() sees it.
struct Step {
    var task: ck_task
    var params: UnsafeMutableRawPointer
    var operands: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    var units: Int
    /// How many threads share the units.
    var lanes: Int
    /// The least that a thread takes of them at a time.
    var least: Int
    /// How many units are run at a time in a backward run; 0 where every run is forward.
    var piece: Int
    /// Whether the next run goes from the last unit to the first. Runs of a step bound by memory take turns, so that each begins
    /// with what the one before left in the cache.
    var isBackward = false
    /// How many units of each lane's stretch are taken so far; the same numbers for all steps, since one runs at a time.
    var taken: UnsafeMutablePointer<Int>

    /// Runs some units on one thread.
    func run(_ units: Range<Int>, lane: Int) {
        let piece = isBackward ? piece : units.count
        var end = units.upperBound
        while end > units.lowerBound {
            let begin = max(units.lowerBound, end - piece)
            task(params, operands, begin, end, UInt32(lane))
            end = begin
        }
    }

    /// Shares all units with other lanes, piece by piece of what is left. A backward run has lanes and units mirrored, so that each
    /// lane still begins with its own.
    func share(lane: Int) {
        var first = 0
        while true {
            let count = cs_take(taken, units, lanes, isBackward ? lanes - 1 - lane : lane, least, &first)
            if count == 0 { return }
            if isBackward { first = units - first - count }
            run(first..<first + count, lane: lane)
        }
    }
}

/// Where an operand's address comes from.
struct Slot {
    var place: Int
    var offset: Int
}

/// What a profiled run adds up, beside each step.
struct StepTime {
    var nanoseconds: UInt64
    var runs: UInt64
    var operations: UInt64
    var bytes: UInt64
    /// −1 for a copy that the plan added.
    var node: Int
    var isa: ck_isa
}

/// Before this step a symbolic dimension takes the value of a place.
struct Measure {
    var step: Int
    var dimension: Int
    var place: Int
}

/// A function bound to addresses.
struct BoundFunction {
    var steps: UnsafeMutablePointer<Step>
    var stepCount: Int
    var measures: UnsafeMutablePointer<Measure>
    var measureCount: Int
    /// One per operand of every step, in order; `operands` holds their addresses.
    var slots: UnsafeMutablePointer<Slot>
    var operands: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    var slotCount: Int
    /// Addresses of constants, states and buffers.
    var places: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    /// Bytes that each place has room for.
    var capacities: UnsafeMutablePointer<Int>
    var placeCount: Int
    /// The session's own addresses of the inputs, then of the outputs; the places hold what is bound now.
    var own: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    /// Bytes of the memory bound to each input, then each output; -1: the session's own.
    var boundSizes: UnsafeMutablePointer<Int>
    /// Indices into `places`, of the inputs, then of the outputs.
    var edges: UnsafeMutablePointer<Int>
    var inputCount: Int
    var outputCount: Int
    /// Per input whether it was set or bound, and how many were not.
    var isSet: UnsafeMutablePointer<Bool>
    var unsetInputs: Int
    /// nil unless profiled.
    var times: UnsafeMutablePointer<StepTime>?
}

/// The head of a session's one block of memory.
struct SessionHeader {
    var model: Unmanaged<Model>
    var functions: UnsafeMutablePointer<BoundFunction>
    var functionCount: Int
    /// Current values of the symbolic dimensions, and the limits they were planned for.
    var dimensions: UnsafeMutablePointer<Int>
    var limits: UnsafeMutablePointer<Int>
    var states: UnsafeMutableRawPointer
    var statesSize: Int
    var lanes: Int
    var isa: ck_isa
    var pool: OpaquePointer?
    var parallelFor: SessionOptions.ParallelFor?
    var parallelContext: UnsafeMutableRawPointer?
    var release: SessionOptions.Release?
    var allocatorContext: UnsafeMutableRawPointer?
    var ownsMemory: Bool
    var size: Int
}

/// Hands out the parts of a block one after another. Without a base it only counts: the size that create needs and the
/// addresses that create uses come from the same code.
struct BlockCursor {
    let base: UnsafeMutableRawPointer?
    private(set) var offset = 0

    init(_ base: UnsafeMutableRawPointer?) { self.base = base }

    mutating func take(bytes: Int, alignment: Int) -> UnsafeMutableRawPointer? {
        offset = (offset + alignment - 1) / alignment * alignment
        defer { offset += bytes }
        return base.map { $0 + offset }
    }

    mutating func take<T>(_ count: Int, of type: T.Type) -> UnsafeMutablePointer<T>? {
        take(bytes: count * MemoryLayout<T>.stride, alignment: MemoryLayout<T>.alignment)?
            .bindMemory(to: T.self, capacity: count)
    }
}
