/// Bytes that constants point into; subclasses own a mapping or an allocation, or make the bytes when they are read.
open class Storage {
    private let resident: UnsafeRawBufferPointer
    public init(_ bytes: UnsafeRawBufferPointer) { resident = bytes }

    open var bytes: UnsafeRawBufferPointer { resident }
    open var size: Int { resident.count }

    /// Gives back memory of bytes that can be made again. Addresses taken before are no longer good.
    open func discard() {}
}

/// A symbolic dimension such as "batch", with its bounds.
public struct SymbolicDimension: Sendable {
    public var name: String
    public var minimum: Int
    public var maximum: Int

    public init(_ name: String, _ bounds: ClosedRange<Int>) {
        self.name = name
        minimum = bounds.lowerBound
        maximum = bounds.upperBound
    }
}

/// A tensor that never changes.
public struct Constant {
    public var name: String
    public var type: TensorType
    public var storage: Storage
    public var offset: Int

    public init(_ name: String, _ type: TensorType, _ storage: Storage, offset: Int = 0) {
        self.name = name
        self.type = type
        self.storage = storage
        self.offset = offset
    }

    /// The bytes, `type.byteSize` of them once the graph is valid.
    public var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: storage.bytes[offset..<offset + type.byteSize])
    }
}

/// A tensor that lives from run to run.
public struct State {
    public enum Role: UInt32, Sendable {
        case other, weight, statistic, slot, counter, memory
    }

    public var name: String
    public var type: TensorType
    public var role: Role
    /// The value after a reset; nil is zeros. Its type is the state's.
    public var initial: Constant?

    public init(_ name: String, _ type: TensorType, _ role: Role, initial: Constant? = nil) {
        self.name = name
        self.type = type
        self.role = role
        self.initial = initial
    }
}

/// Where a node reads: a constant, a state, or a value of its own function (inputs first, then node outputs in order).
public enum Operand: Sendable, Equatable {
    case constant(Int)
    case state(Int)
    case local(Int)
}

public struct Node {
    public var name: String
    public var op: Operator
    public var inputs: [Operand]

    public init(_ name: String, _ op: Operator, _ inputs: [Operand]) {
        self.name = name
        self.op = op
        self.inputs = inputs
    }
}

/// What the numbers of an input mean: value = (raw · scale − mean[c]) / std[c] was applied to raw data.
public struct InputContract: Sendable {
    public var layout = ""
    public var color = ""
    public var rawRange: ClosedRange<Float> = 0...0
    public var scale: Float = 1
    public var mean: [Float] = []
    public var std: [Float] = []
    public init() {}
}

public struct FunctionInput {
    public var name: String
    /// Extents may be symbols.
    public var type: TensorType
    public var contract: InputContract?

    public init(_ name: String, _ type: TensorType, contract: InputContract? = nil) {
        self.name = name
        self.type = type
        self.contract = contract
    }
}

public struct FunctionOutput {
    public var name: String
    public var operand: Operand
    /// Extents may be symbols.
    public var type: TensorType
    public var labels: [String]

    public init(_ name: String, _ operand: Operand, _ type: TensorType, labels: [String] = []) {
        self.name = name
        self.operand = operand
        self.type = type
        self.labels = labels
    }
}

/// After a run the state takes the value of a local.
public struct StateUpdate: Sendable {
    public var state: Int
    public var local: Int

    public init(state: Int, local: Int) {
        self.state = state
        self.local = local
    }
}

public struct Function {
    public var name: String
    public var inputs: [FunctionInput] = []
    public var nodes: [Node] = []
    public var outputs: [FunctionOutput] = []
    public var updates: [StateUpdate] = []

    public init(_ name: String) { self.name = name }
}

/// Inputs and the outputs computed for them by the producer.
public struct Golden {
    public var function: Int
    public var dimensions: [Int]
    public var inputs: [Constant]
    public var outputs: [Constant]
    public var relativeTolerance: Float
    public var absoluteTolerance: Float

    public init(
        function: Int, dimensions: [Int], inputs: [Constant], outputs: [Constant], relativeTolerance: Float,
        absoluteTolerance: Float
    ) {
        self.function = function
        self.dimensions = dimensions
        self.inputs = inputs
        self.outputs = outputs
        self.relativeTolerance = relativeTolerance
        self.absoluteTolerance = absoluteTolerance
    }
}

/// Functions over shared constants and states: what a file holds.
public final class Graph {
    public var name: String
    public var producer = ""
    public var dimensions: [SymbolicDimension] = []
    public var constants: [Constant] = []
    public var states: [State] = []
    public var functions: [Function] = []
    public var metadata: [(key: String, value: String)] = []
    public var goldens: [Golden] = []
    #if !APUS_INFERENCE
    /// Whether products of two matrices that are computed round them to bf16 and sum in f32. Not part of a file.
    public var mixedPrecision = false
    #endif

    public init(_ name: String = "") { self.name = name }

    /// Per symbolic dimension whether runs measure it; the others are set.
    public var measuredDimensions: [Bool] {
        var result = [Bool](repeating: false, count: dimensions.count)
        for function in functions {
            for node in function.nodes {
                if let i = node.op.measuredDimension, i < result.count { result[i] = true }
            }
        }
        return result
    }

    public func functionIndex(_ name: String) -> Int? {
        functions.firstIndex { $0.name.sameBytes(name) }
    }
}
