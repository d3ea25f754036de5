import ApusGraph
import CKernels

/// What a plan is made for.
public struct PlanOptions {
    /// The largest values of the symbolic dimensions: memory is shared and sized for these.
    public var limits: [Int]
    /// Their values now: kernels are chosen for these.
    public var dimensions: [Int]
    public var isa: ck_isa
    public var lanes: Int

    public init(limits: [Int], dimensions: [Int]? = nil, isa: ck_isa, lanes: Int) {
        self.limits = limits
        self.dimensions = dimensions ?? limits
        self.isa = isa
        self.lanes = lanes
    }
}

/// Where a value lies: constants, then states, then buffers of the arena.
public enum Place: Equatable {
    case constant(Int)
    case state(Int)
    case buffer(Int)

    /// The position in a table of all places.
    func index(in graph: Graph) -> Int {
        switch self {
        case .constant(let i): i
        case .state(let i): graph.constants.count + i
        case .buffer(let i): graph.constants.count + graph.states.count + i
        }
    }
}

/// One launch in running order.
public struct PlannedStep {
    /// The node it belongs to; nil for a copy that the plan itself adds.
    public let node: Int?
    public let launch: Launch
    /// Per operand the place it lies in and a byte offset there.
    public let slots: [(place: Place, offset: Int)]
    public internal(set) var operations: Int
    public internal(set) var bytes: Int
    /// About how many operations one core does in a nanosecond.
    public let speed: Int
    /// Unless `.none` it takes the step before, whose weights have that type, into itself (`ck_conv_fuse`); the work is this step's.
    public internal(set) var takes = Sharing.none
    var takenType = DType.f32
}

/// Stage 4: one function as ordered steps, each with its kernel chosen, and the lifetimes of the buffers they use.
///
/// Values share memory where that cannot be seen: a view is its input's bytes; an operator that may overwrites an input
/// that nobody reads afterwards; a state is updated in place by its last reader. Inputs are never written. What a node prepares of
/// its input serves the next node as well, where that wants the same. An image between two convolutions may lie nowhere.
public struct Plan {
    /// The types of the locals now, and at the limits; of what a pool alone reads, only as much as it wants.
    public internal(set) var types: [TensorType]
    var limitTypes: [TensorType]
    public internal(set) var steps: [PlannedStep] = []
    /// The measured dimensions, each with the step before which its value is read and the place that holds it.
    public private(set) var measures: [(step: Int, dimension: Int, count: Place)] = []
    /// Times are node indices; 0 ..< nodes.count, and nodes.count for the end.
    public internal(set) var buffers: [Lifetime] = []
    /// The place of every local.
    public private(set) var places: [Place] = []
    /// Per buffer whether a value in it leaves the function, and whether it is an output's.
    private var leaves: [Bool] = []
    private var isOutput: [Bool] = []
    /// The buffers of the function's inputs and outputs.
    public private(set) var inputs: [Int] = []
    public private(set) var outputs: [Int] = []

    private let graph: Graph
    let function: Function
    /// What it was made for; a measured dimension is at most what the other dimensions leave room for.
    public let options: PlanOptions
    /// Per local: the last node that reads it; nodes.count when an output or update does.
    private(set) var lastRead: [Int] = []
    /// Per local: the state it is the new value of.
    private var updates: [Int?] = []
    /// Per local: leaves the function, so that it must not be a view of something that may change.
    private var escapes: [Bool] = []
    /// Per state: the last node that reads it, directly or through a view.
    private var stateLastRead: [Int] = []
    /// The step that prepared the last node's input 0, if the next node may read what it made.
    private var prepared: Int?
    /// What the last node allows of its result.
    private(set) var sharing = Sharing.none
    /// The type of its input 1.
    private(set) var weights = DType.f32
    private let end: Int

    public init(_ valid: ValidGraph, function index: Int, _ options: PlanOptions) throws(ApusError) {
        graph = valid.graph
        function = graph.functions[index]
        end = function.nodes.count
        var fitting = options
        types = try valid.types(ofFunction: index, fitting: &fitting.dimensions)
        if options.limits == options.dimensions {
            fitting.limits = fitting.dimensions
            limitTypes = types
        } else {
            limitTypes = try valid.types(ofFunction: index, fitting: &fitting.limits)
        }
        self.options = fitting
        for local in types.indices where types[local].byteSize > limitTypes[local].byteSize {
            throw .unsupported(
                "function '\(function.name)': \(types[local]) at these dimensions is larger than "
                    + "\(limitTypes[local]), planned for")
        }
        findLastReads()
        for input in function.inputs.indices {
            inputs.append(newBuffer(limitTypes[input].byteSize, first: 0, last: end))
            places.append(.buffer(input))
        }
        for node in function.nodes.indices {
            do throws(ApusError) { try plan(node) } catch {
                throw error.within("node '\(function.nodes[node].name)' (\(function.nodes[node].op.name))")
            }
        }
        try placeOutputs()
        try copyUpdates()
    }

    // MARK: Reads

    private mutating func findLastReads() {
        lastRead = [Int](repeating: -1, count: types.count)
        updates = [Int?](repeating: nil, count: types.count)
        escapes = [Bool](repeating: false, count: types.count)
        stateLastRead = [Int](repeating: -1, count: graph.states.count)
        for (time, node) in function.nodes.enumerated() {
            for operand in node.inputs.prefix(node.op.inputsRead) { read(operand, at: time) }
        }
        for output in function.outputs {
            read(output.operand, at: end)
            if case .local(let i) = output.operand { escapes[i] = true }
        }
        for update in function.updates {
            read(.local(update.local), at: end)
            updates[update.local] = update.state
            escapes[update.local] = true
        }
    }

    private mutating func read(_ operand: Operand, at time: Int) {
        switch operand {
        case .constant: break
        case .state(let i): stateLastRead[i] = time
        case .local(let i): lastRead[i] = time
        }
    }

    // MARK: Nodes

    private mutating func plan(_ index: Int) throws(ApusError) {
        let node = function.nodes[index]
        let firstOutput = places.count
        var inputTypes: [TensorType] = []
        for operand in node.inputs { inputTypes.append(type(of: operand)) }
        if let dimension = node.op.measuredDimension, let count = node.inputs.last {
            measures.append((steps.count, dimension, place(of: count)))
        }
        if node.op.isView || sharing == .maxima, let place = viewPlace(of: node.inputs[0], output: firstOutput) {
            occupy(place, local: firstOutput, at: index)
            sharing = .none
            return
        }
        var outputTypes: [TensorType] = []
        for output in 0..<node.op.outputCount { outputTypes.append(types[firstOutput + output]) }
        var site = KernelSite(inputs: inputTypes, outputs: outputTypes, isa: options.isa, lanes: options.lanes)
        #if !APUS_INFERENCE
        site.mixedPrecision = graph.mixedPrecision
        if node.inputs.count > 1, case .state(let weights) = node.inputs[1] {
            site.updatesWeights = function.updates.contains { $0.state == weights }
        }
        #endif
        var kernels = try node.op.chosenKernels(site)
        if try pool(index, &site, &kernels, output: firstOutput) { outputTypes = [types[firstOutput]] }
        // All places are decided before any is taken, so that two outputs cannot overwrite the same input.
        for output in 0..<node.op.outputCount {
            let local = firstOutput + output
            if let place = try placeToOverwrite(node, index, output, local, taken: places[firstOutput...]) {
                occupy(place, local: local, at: index)
            } else {
                let buffer = newBuffer(limitTypes[local].byteSize, first: index, last: index)
                occupy(.buffer(buffer), local: local, at: index)
            }
        }
        let speed = options.isa.speed(integer: inputTypes.contains { $0.dtype == .i8 })
        var workspace: Int?
        var first = 0
        if kernels.sharing == .preparedInput, let prepared, case let step = steps[prepared],
            step.slots[0].place == place(of: node.inputs[0]), case .buffer(let buffer) = step.slots[1].place,
            unsafeBitCast(step.launch.task, to: UInt.self) == unsafeBitCast(kernels.launches[0].task, to: UInt.self),
            step.launch.params == kernels.launches[0].params
        {
            buffers[buffer].last = index
            buffers[buffer].size = max(buffers[buffer].size, kernels.workspaceBytes)
            workspace = buffer
            first = 1
        } else {
            prepared = kernels.sharing == .preparedInput ? steps.count : nil
        }
        // The operations belong to the launches that write outputs; others prepare operands for them.
        let writers = kernels.launches.reduce(0) { $0 + ($1.writesOutput ? 1 : 0) }
        for launch in kernels.launches.dropFirst(first) {
            var bytes = 0, usesWorkspace = false
            var slots: [(place: Place, offset: Int)] = []
            for operand in launch.operands {
                switch operand {
                case .input(let i):
                    bytes += inputTypes[i].byteSize
                    slots.append((place(of: node.inputs[i]), 0))
                case .output(let i):
                    bytes += outputTypes[i].byteSize
                    slots.append((places[firstOutput + i], 0))
                case .workspace(let offset):
                    let buffer = workspace ?? newBuffer(kernels.workspaceBytes, first: index, last: index)
                    workspace = buffer
                    usesWorkspace = true
                    slots.append((.buffer(buffer), offset))
                }
            }
            // To a launch alone it is scratch, which stays in a cache.
            if usesWorkspace && kernels.launches.count > 1 { bytes += kernels.workspaceBytes }
            var work = (operations: launch.writesOutput ? kernels.operations / writers : 0, bytes: launch.units > 0 ? bytes : 0)
            #if !APUS_INFERENCE
            work = launch.work ?? work
            #endif
            steps.append(
                PlannedStep(
                    node: index, launch: launch, slots: slots, operations: work.operations, bytes: work.bytes, speed: speed))
        }
        fuse(node, index, kernels)
        sharing = kernels.sharing
        if inputTypes.count > 1 { weights = inputTypes[1].dtype }
        if let step = prepared, places[firstOutput...].contains(steps[step].slots[0].place) { prepared = nil }
    }

    /// The place a view may share; nil when its bytes must be copied because they could change or are needed apart.
    private func viewPlace(of operand: Operand, output: Int) -> Place? {
        let place = self.place(of: operand)
        guard !escapes[output] else {
            if case .buffer(let buffer) = place, buffer >= inputs.count, !leaves[buffer] { return place }
            return nil
        }
        return place
    }

    /// An input's place that the node may write this output over.
    private func placeToOverwrite(
        _ node: Node, _ time: Int, _ output: Int, _ local: Int, taken: ArraySlice<Place>
    ) throws(ApusError) -> Place? {
        for (i, operand) in node.inputs.enumerated() where node.op.mayOverwrite(input: i, output: output) {
            let place = self.place(of: operand)
            let size = limitTypes[local].byteSize
            guard limitType(of: operand).byteSize == size, !taken.contains(place) else { continue }
            switch place {
            case .constant:
                continue
            case .state(let state):
                guard updates[local] == state, stateLastRead[state] <= time else { continue }
            case .buffer(let buffer):
                guard buffer >= inputs.count, buffers[buffer].last <= time, buffers[buffer].size == size
                else { continue }
            }
            var onlyOverwritable = true
            for (j, other) in node.inputs.enumerated()
            where j < node.op.inputsRead && self.place(of: other) == place
                && !node.op.mayOverwrite(input: j, output: output)
            {
                onlyOverwritable = false
            }
            guard onlyOverwritable else { continue }
            guard type(of: operand).byteSize == types[local].byteSize else {
                throw .shape("\(type(of: operand)) becomes \(types[local]) at these dimensions, wanted equal sizes")
            }
            return place
        }
        return nil
    }

    private mutating func occupy(_ place: Place, local: Int, at time: Int) {
        places.append(place)
        switch place {
        case .constant: break
        case .state(let state): stateLastRead[state] = max(stateLastRead[state], viewReads(local, of: state))
        case .buffer(let buffer):
            buffers[buffer].last = max(buffers[buffer].last, time, lastRead[local])
            if escapes[local] { leaves[buffer] = true }
        }
    }

    /// Reads of a local count as reads of the state it is a view of, unless it is that state's new value.
    private func viewReads(_ local: Int, of state: Int) -> Int { updates[local] == state ? -1 : lastRead[local] }

    private mutating func newBuffer(_ size: Int, first: Int, last: Int) -> Int {
        buffers.append(Lifetime(size: size, first: first, last: last))
        leaves.append(false)
        isOutput.append(false)
        return buffers.count - 1
    }

    // MARK: The end of the function

    /// Every output gets a buffer of its own that no input and no other output uses.
    private mutating func placeOutputs() throws(ApusError) {
        for output in function.outputs {
            let place = self.place(of: output.operand)
            if case .buffer(let buffer) = place, buffer >= inputs.count, !isOutput[buffer] {
                outputs.append(buffer)
                isOutput[buffer] = true
            } else {
                let buffer = newBuffer(limitType(of: output.operand).byteSize, first: end, last: end)
                outputs.append(buffer)
                try appendCopy(from: place, to: .buffer(buffer), size: type(of: output.operand).byteSize)
            }
        }
    }

    private mutating func copyUpdates() throws(ApusError) {
        for update in function.updates where places[update.local] != .state(update.state) {
            try appendCopy(
                from: places[update.local], to: .state(update.state), size: types[update.local].byteSize)
        }
    }

    private mutating func appendCopy(from source: Place, to destination: Place, size: Int) throws(ApusError) {
        var params = ck_copy_params()
        params.rank = 1
        params.size.0 = Int64(size)
        params.source_stride.0 = 1
        params.destination_stride.0 = 1
        let launch = try Launch(
            ck_copy(CK_U8, options.isa), params, units: ck_copy_units(&params), [.input(0), .output(0)])
        steps.append(
            PlannedStep(
                node: nil, launch: launch, slots: [(source, 0), (destination, 0)], operations: 0, bytes: 2 * size, speed: 1))
    }

    // MARK: Look-up

    public func place(of operand: Operand) -> Place {
        switch operand {
        case .constant(let i): .constant(i)
        case .state(let i): .state(i)
        case .local(let i): places[i]
        }
    }

    private func type(of operand: Operand) -> TensorType {
        switch operand {
        case .constant(let i): graph.constants[i].type
        case .state(let i): graph.states[i].type
        case .local(let i): types[i]
        }
    }

    func limitType(of operand: Operand) -> TensorType {
        if case .local(let i) = operand { return limitTypes[i] }
        return type(of: operand)
    }
}
