import ApusGraph
import CKernels
import CSystem

/// Plans of every function and the arena they share: all that is known before there is memory.
struct SessionPlan {
    let model: Model
    let limits: [Int]
    let lanes: Int
    let isa: ck_isa
    let profile: Bool
    let ownsPool: Bool
    let plans: [Plan]
    let layouts: [ArenaLayout]
    /// Offsets of the states, and their size together.
    let stateOffsets: [Int]
    let statesSize: Int

    /// Stages 4 and 5.
    init(_ model: Model, _ options: SessionOptions) throws(ApusError) {
        try model.reserveForPlanning()
        self.model = model
        lanes = try options.checkedThreads()
        isa = options.resolvedISA
        profile = options.profile
        ownsPool = lanes > 1 && options.parallelFor == nil
        var limits = try options.maxima(model.graph)
        var plans: [Plan] = []
        for function in model.graph.functions.indices {
            let plan = try Plan(model.valid, function: function, PlanOptions(limits: limits, isa: isa, lanes: lanes))
            limits = plan.options.limits
            plans.append(plan)
        }
        self.limits = limits
        self.plans = plans
        // What all buffers take together bounds every sum of the layout.
        for (index, plan) in plans.enumerated() {
            var total = 0
            for buffer in plan.buffers where total <= SessionPlan.maximumMemory { total += buffer.size }
            guard total <= SessionPlan.maximumMemory else {
                throw .unsupported("function '\(model.graph.functions[index].name)' needs more than 2⁵⁶ bytes")
            }
        }
        let apart = lanes > 1 ? SessionPlan.cachedArena : 0
        layouts = plans.map { ArenaLayout($0.buffers, apart: apart) }
        var offsets: [Int] = []
        var size = 0
        for state in model.graph.states {
            offsets.append(size)
            size += ArenaLayout.aligned(state.type.byteSize)
        }
        stateOffsets = offsets
        statesSize = size
    }

    private static let maximumMemory = 1 << 56
    /// The largest arena, in bytes, that the second-level caches of two cores keep beside weights.
    private static let cachedArena = 1 << 20

    var arenaSize: Int { layouts.reduce(0) { max($0, $1.peak) } }

    var memorySize: Int {
        var cursor = BlockCursor(nil)
        _ = bind(&cursor)
        return cursor.offset
    }

    /// Stage 6: lays the session out in the cursor's block and, where there is one, writes steps with raw addresses.
    func bind(_ cursor: inout BlockCursor) -> UnsafeMutablePointer<SessionHeader>? {
        let header = cursor.take(1, of: SessionHeader.self)
        let functions = cursor.take(plans.count, of: BoundFunction.self)
        let dimensions = cursor.take(limits.count, of: Int.self)
        let limits = cursor.take(self.limits.count, of: Int.self)
        let pool = ownsPool ? cursor.take(bytes: cs_pool_size(lanes), alignment: 64) : nil
        let taken = cursor.take(bytes: lanes * CS_TAKEN * 8, alignment: 64)?.bindMemory(to: Int.self, capacity: lanes * CS_TAKEN)
        let states = cursor.take(bytes: statesSize, alignment: 64)
        let arena = cursor.take(bytes: arenaSize, alignment: 64)
        for index in plans.indices {
            let bound = bind(function: index, states: states, arena: arena, taken: taken, &cursor)
            if let bound, let functions { (functions + index).initialize(to: bound) }
        }
        guard let header, let functions, let dimensions, let limits, let states else { return nil }
        for (i, limit) in self.limits.enumerated() {
            dimensions[i] = limit
            limits[i] = limit
        }
        header.initialize(
            to: SessionHeader(
                model: Unmanaged.passUnretained(model), functions: functions, functionCount: plans.count,
                dimensions: dimensions, limits: limits, states: states, statesSize: statesSize, lanes: lanes, isa: isa,
                pool: pool.map { OpaquePointer($0) }, parallelFor: nil, parallelContext: nil, release: nil,
                allocatorContext: nil, ownsMemory: false, size: 0))
        return header
    }

    private func bind(
        function index: Int, states: UnsafeMutableRawPointer?, arena: UnsafeMutableRawPointer?,
        taken: UnsafeMutablePointer<Int>?, _ cursor: inout BlockCursor
    ) -> BoundFunction? {
        let plan = plans[index]
        let graph = model.graph
        let placeCount = graph.constants.count + graph.states.count + plan.buffers.count
        let slotCount = plan.steps.reduce(0) { $0 + $1.slots.count }
        let edgeCount = plan.inputs.count + plan.outputs.count
        let steps = cursor.take(plan.steps.count, of: Step.self)
        let measures = cursor.take(plan.measures.count, of: Measure.self)
        let slots = cursor.take(slotCount, of: Slot.self)
        let operands = cursor.take(slotCount, of: UnsafeMutableRawPointer?.self)
        let places = cursor.take(placeCount, of: UnsafeMutableRawPointer?.self)
        let capacities = cursor.take(placeCount, of: Int.self)
        let own = cursor.take(edgeCount, of: UnsafeMutableRawPointer?.self)
        let boundSizes = cursor.take(edgeCount, of: Int.self)
        let edges = cursor.take(edgeCount, of: Int.self)
        let isSet = cursor.take(plan.inputs.count, of: Bool.self)
        let times = profile ? cursor.take(plan.steps.count, of: StepTime.self) : nil
        let params = cursor.take(bytes: plan.steps.count * Int(CK_PARAMS_MAX), alignment: 64)
        guard let steps, let measures, let slots, let operands, let places, let capacities, let own, let boundSizes,
            let edges, let isSet, let params, let states, let arena, let taken
        else { return nil }

        for (i, constant) in graph.constants.enumerated() {
            places[i] = UnsafeMutableRawPointer(mutating: constant.bytes.baseAddress)
            capacities[i] = constant.type.byteSize
        }
        for (i, state) in graph.states.enumerated() {
            let place = Place.state(i).index(in: graph)
            places[place] = states + stateOffsets[i]
            capacities[place] = state.type.byteSize
        }
        for (i, buffer) in plan.buffers.enumerated() {
            let place = Place.buffer(i).index(in: graph)
            places[place] = arena + layouts[index].offsets[i]
            capacities[place] = buffer.size
        }
        for (i, buffer) in (plan.inputs + plan.outputs).enumerated() {
            edges[i] = Place.buffer(buffer).index(in: graph)
            own[i] = places[edges[i]]
            boundSizes[i] = -1
        }
        for i in plan.inputs.indices { isSet[i] = false }
        var bound = BoundFunction(
            steps: steps, stepCount: plan.steps.count, measures: measures, measureCount: plan.measures.count,
            slots: slots, operands: operands, slotCount: slotCount,
            places: places, capacities: capacities, placeCount: placeCount, own: own, boundSizes: boundSizes,
            edges: edges, inputCount: plan.inputs.count, outputCount: plan.outputs.count, isSet: isSet, unsetInputs: plan.inputs.count, times: times)
        for (i, measure) in plan.measures.enumerated() {
            measures[i] = Measure(
                step: measure.step, dimension: measure.dimension, place: measure.count.index(in: graph))
        }
        var firstSlot = 0
        for (i, step) in plan.steps.enumerated() {
            (steps + i).initialize(
                to: Step(
                    task: step.launch.task, params: params + i * Int(CK_PARAMS_MAX), operands: operands + firstSlot,
                    units: 0, lanes: 1, least: 1, piece: 0, taken: taken))
            firstSlot += step.slots.count
            if let times {
                (times + i).initialize(
                    to: StepTime(nanoseconds: 0, runs: 0, operations: 0, bytes: 0, node: step.node ?? -1, isa: isa))
            }
        }
        bound.set(plan, graph, lanes: lanes)
        return bound
    }
}

extension BoundFunction {
    /// Writes what depends on the symbolic dimensions: tasks, parameters, units and workspace offsets. Allocates nothing.
    mutating func set(_ plan: Plan, _ graph: Graph, lanes: Int) {
        var slot = 0
        plan.share(lanes: lanes) { steps[$0].lanes = $1 }
        let takesTurns = plan.takesTurns(lanes: lanes)
        for (i, step) in plan.steps.enumerated() {
            steps[i].task = step.launch.task
            steps[i].units = step.launch.units
            steps[i].least = step.leastPiece
            steps[i].piece = takesTurns ? step.backwardPiece : 0
            steps[i].isBackward = false
            step.launch.params.withUnsafeBytes {
                if let base = $0.baseAddress { steps[i].params.copyMemory(from: base, byteCount: $0.count) }
            }
            if step.takes != .none {
                let both = steps + i, first = both - 1
                ck_conv_fuse(
                    both.pointee.params, first.pointee.params, first.pointee.task, step.takes == .product ? 1 : 0,
                    step.takenType.ck, lanes)
                both.pointee.operands = first.pointee.operands
                both.pointee.least = (both.pointee.units + lanes - 1) / lanes
                both.pointee.piece = 0
                (first.pointee.units, first.pointee.lanes) = (0, 1)
            }
            for source in step.slots {
                slots[slot] = Slot(place: source.place.index(in: graph), offset: source.offset)
                slot += 1
            }
            if let times {
                times[i].operations = UInt64(max(0, step.operations))
                times[i].bytes = UInt64(max(0, step.bytes))
            }
        }
        refreshOperands()
    }

    /// Whether a plan for other dimensions can take the place of the one this was bound from.
    func fits(_ plan: Plan, _ graph: Graph) -> Bool {
        let firstBuffer = graph.constants.count + graph.states.count
        guard plan.steps.count == stepCount, plan.buffers.count == placeCount - firstBuffer else { return false }
        for (i, buffer) in plan.buffers.enumerated() where buffer.size > capacities[firstBuffer + i] { return false }
        var slot = 0
        for step in plan.steps {
            for source in step.slots {
                guard slot < slotCount, slots[slot].place == source.place.index(in: graph) else { return false }
                slot += 1
            }
        }
        return slot == slotCount
    }
}

extension Plan {
    /// Per step how many of `lanes` threads share it.
    public func shares(lanes: Int) -> [Int] {
        var shares = [Int](repeating: 1, count: steps.count)
        share(lanes: lanes) { shares[$0] = $1 }
        return shares
    }

    /// Gives every step its number of threads, the last call for a step counts: runs follow each other, so the first steps come
    /// after the last.
    func share(lanes: Int, _ give: (_ step: Int, _ threads: Int) -> Void) {
        var alone = PlannedStep.brief + 1
        for step in 0..<2 * steps.count {
            let i = step < steps.count ? step : step - steps.count, threads = steps[i].threads(of: lanes, after: alone)
            give(i, threads)
            alone = threads > 1 ? 0 : min(alone, 1 << 40) + steps[i].nanoseconds
        }
    }

    /// Whether a run meets in the second-level caches of so many cores, of 2 MiB or so, any of what the last run read.
    public func takesTurns(lanes: Int) -> Bool { steps.reduce(0) { min($0, 1 << 40) + $1.bytes } <= lanes << 22 }
}

extension ck_isa {
    /// About how many operations one core does in a nanosecond. `integer`: where inputs are of i8; too many where weights are
    /// that alone, whose bytes count for more.
    func speed(integer: Bool) -> Int {
        let wide = rawValue & CK_ISA_AVX512.rawValue != 0
        guard integer else { return wide ? 120 : 80 }
        return rawValue & CK_ISA_AMX.rawValue != 0 ? 1000 : rawValue & CK_ISA_VNNI.rawValue != 0 ? 360 : 120
    }
}

extension PlannedStep {
    /// About how long one thread takes, where operations and memory run at the speed of one core.
    var nanoseconds: Int { operations / speed + bytes / 40 }

    /// For so many nanoseconds one thread may work alone and leave the halves of values where they are.
    fileprivate static let brief = 1_000

    /// How many threads the work is worth, of `lanes`, where one thread has worked alone for so many nanoseconds. To call others
    /// takes half a microsecond, and many once they have gone to sleep (`CS_AWAKE`); to move halves of values to their caches
    /// takes as long as to compute them. The step after a shared one finds its halves there, most after a `brief` pause too.
    func threads(of lanes: Int, after alone: Int) -> Int {
        let least = alone > Int(CS_AWAKE) ? 50_000 : alone > Self.brief ? 12_000 : alone > 0 ? 4_000 : 2_000
        return nanoseconds < least ? 1 : min(lanes, launch.units, nanoseconds / 1000)
    }

    /// What a thread takes at a time is worth 5 µs of one thread's, or all of its share: a piece that another takes over costs both
    /// the lines of cache that it reads and writes.
    var leastPiece: Int { max(1, launch.units / max(1, nanoseconds / 5000)) }

    /// The units of a backward run's pieces, worth about 2 µs; 0 for steps that only go forward: short ones, and those whose
    /// operations take longer than memory.
    public var backwardPiece: Int {
        launch.units > 1 && 3 * bytes > operations && nanoseconds > 5000 ? 1 + launch.units * 2000 / nanoseconds : 0
    }
}

extension BoundFunction {
    func refreshOperands() {
        for i in 0..<slotCount { operands[i] = places[slots[i].place].map { $0 + slots[i].offset } }
    }
}
