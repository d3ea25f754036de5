public import CKernels

/// What a kernel is chosen from: concrete types, the instruction set and the number of threads.
public struct KernelSite {
    public let inputs: [TensorType]
    public var outputs: [TensorType]
    /// Without VNNI and AMX: what most families choose from.
    public let isa: ck_isa
    /// What products of integers and of bf16 choose from.
    public let integerISA: ck_isa
    public let lanes: Int
    /// Whether a max pool alone reads the output, as `Sharing.pool` says.
    public var pools = false
    #if !APUS_INFERENCE
    /// That of the graph.
    public var mixedPrecision = false
    /// Whether input 1 is a state to which the function gives a new value: weights in a training step.
    public var updatesWeights = false
    #endif

    public init(inputs: [TensorType], outputs: [TensorType], isa: ck_isa, lanes: Int) {
        self.inputs = inputs
        self.outputs = outputs
        self.isa = ck_isa_base(isa)
        integerISA = isa
        self.lanes = lanes
    }

    /// The element type of input 0 as the kernels number it.
    public var dtype: ck_dtype { inputs.isEmpty ? outputs[0].dtype.ck : inputs[0].dtype.ck }

    /// All inputs, then all outputs.
    public var allOperands: [KernelOperand] {
        var operands: [KernelOperand] = []
        for i in 0..<inputs.count { operands.append(.input(i)) }
        for i in 0..<outputs.count { operands.append(.output(i)) }
        return operands
    }
}

/// An address that a launch receives.
public enum KernelOperand: Sendable {
    case input(Int)
    case output(Int)
    /// A byte offset into the node's workspace.
    case workspace(Int)
}

/// One call of a kernel: `task(params, operands, units)`.
public struct Launch {
    public let task: ck_task
    public let params: [UInt8]
    public let operands: [KernelOperand]
    public internal(set) var units: Int
    #if !APUS_INFERENCE
    /// Arithmetic operations and bytes that it moves, where they are not what its node and its operands let expect.
    public var work: (operations: Int, bytes: Int)?
    #endif

    /// Throws `unsupported` when the chooser had no kernel.
    public init<Params>(
        _ task: ck_task?, _ params: Params, units: Int, _ operands: [KernelOperand]
    ) throws(ApusError) {
        guard let task else {
            #if APUS_INFERENCE
            throw .unsupported("no kernel for these types; arithmetic on f64 needs libapus-training")
            #else
            throw .unsupported("no kernel for these types")
            #endif
        }
        self.task = task
        self.params = withUnsafeBytes(of: params) { [UInt8]($0) }
        guard self.params.count <= Int(CK_PARAMS_MAX) else {
            throw .unsupported("kernel parameters of \(self.params.count) bytes, wanted \(CK_PARAMS_MAX) or less")
        }
        self.operands = operands
        self.units = units
    }

    /// Whether it works on an output of its node, and not on the workspace alone.
    public var writesOutput: Bool {
        for operand in operands { if case .output = operand { return true } }
        return false
    }
}

/// What a plan may make of launches beyond running them in order.
public enum Sharing {
    case none
    /// The first launch makes of input 0 alone, its first operand, what the others read and none of them writes, at the
    /// beginning of the workspace. A node that follows with the same task and params there reads it too.
    case preparedInput
    /// The last launch is a convolution in f32 without residual, by `ck_conv` or `ck_depthwise`, or by `ck_gemm` as the product
    /// of its pixels: lines of its result can be computed apart.
    case convolution, product
    /// The last launch is another convolution without residual. Of this one as of `.convolution`, an output of smaller extents
    /// has the first pixels of each line, of the first lines.
    case pixels
    /// The output is the greatest of every 2 × 2 pixels of the input beside each other.
    case pool
    /// A convolution whose output is that of the pool which alone reads it.
    case maxima
}

/// The launches of one node, in order; each ends before the next begins. Their number and operands must not depend on
/// symbolic dimensions: only tasks, params, units and workspace offsets may.
public struct KernelPlan {
    public var launches: [Launch]
    /// Never less for a symbolic dimension that is larger: a session has the memory for the largest.
    public var workspaceBytes: Int
    /// Arithmetic operations of one run, 2 for a multiply-add.
    public var operations: Int
    public var sharing: Sharing

    public init(_ launches: [Launch], workspaceBytes: Int = 0, operations: Int = 0, sharing: Sharing = .none) {
        self.launches = launches
        self.workspaceBytes = workspaceBytes
        self.operations = operations
        self.sharing = sharing
    }

    /// One launch over all inputs and outputs.
    public init<Params>(
        _ task: ck_task?, _ params: Params, units: Int, at site: KernelSite, operations: Int = 0
    ) throws(ApusError) {
        self.init([try Launch(task, params, units: units, site.allOperands)], operations: operations)
    }
}

extension DType {
    public var ck: ck_dtype { ck_dtype(rawValue) }
}

extension Array where Element == Launch {
    /// In one place for all operators: inlined, it takes 300 bytes of each.
    @inline(never)
    mutating func append(_ launch: Launch) { append(contentsOf: CollectionOfOne(launch)) }
}
