public import CModelFormat

/// One line of the operator table: the operator's name, its code (the field number in apus.proto) and how it is read.
public struct OperatorEntry: Sendable {
    /// How a node becomes an operator: from its message, or as a member of its family.
    enum Reading: Sendable {
        case message(@Sendable (Apus__Node) throws(ApusError) -> Operator)
        case unary(UnaryRule)
        case binary(BinaryRule)
        case reduction(ReductionRule)
    }

    public let name: String
    public let code: Apus__Node__OperatorCase
    private let reading: Reading

    init(_ name: String, _ code: Apus__Node__OperatorCase, _ reading: Reading) {
        self.name = name
        self.code = code
        self.reading = reading
    }

    init(
        _ name: String, _ code: Apus__Node__OperatorCase,
        _ decode: @escaping @Sendable (Apus__Node) throws(ApusError) -> Operator
    ) {
        self.init(name, code, .message(decode))
    }

    /// Reads a node of this code.
    func decode(_ node: Apus__Node) throws(ApusError) -> Operator {
        switch reading {
        case .message(let decode): try decode(node)
        case .unary(let rule): UnaryElementwise(rule)
        case .binary(let rule): BinaryElementwise(rule)
        case .reduction(let rule): try Reduction.read(rule, node)
        }
    }
}

/// Emits the gradients of a node's inputs; nil for one that none flows to.
typealias GradientRule = @Sendable (Gradient) throws(ApusError) -> [Value?]

/// An operator with its attributes. A subclass tells the whole story of one operator: attributes, wire form, shape rule,
/// kernel choice, gradient. Instances are immutable.
open class Operator {
    /// Output 0 is input 0's bytes under another shape.
    public final let isView: Bool

    /// The symbolic dimension whose value a run takes from the last input, a scalar of i64, before what follows runs.
    public final let measuredDimension: Int?

    /// The scale and zero point that its output has from the node's `output_quantization`; nil: it takes none.
    public final let outputCodes: CodeScale?

    /// How many of the first inputs it reads; of the others only the type matters.
    public final let inputsRead: Int

    public init(
        isView: Bool = false, measuredDimension: Int? = nil, outputCodes: CodeScale? = nil, inputsRead: Int = .max
    ) {
        self.isView = isView
        self.measuredDimension = measuredDimension
        self.outputCodes = outputCodes
        self.inputsRead = inputsRead
    }

    open var entry: OperatorEntry {
        OperatorEntry("Operator", APUS__NODE__OPERATOR__NOT_SET) { _ throws(ApusError) in
            throw .file("a node without an operator")
        }
    }

    public final var name: String { entry.name }
    public final var code: Apus__Node__OperatorCase { entry.code }

    // MARK: Wire

    /// Writes the attributes into `node`; the caller sets the operator's code.
    open func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.add = wire.message(apus__no_attributes__init)
    }

    // MARK: Shape rule

    /// How many inputs it takes; checked before `outputTypes`.
    open var inputCount: ClosedRange<Int> { 1...1 }

    open var outputCount: Int { 1 }

    /// The types of the outputs. Every rule of the operator is checked here, nowhere later.
    open func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        throw .unsupported("\(name) has no shape rule")
    }

    /// The same for an operator whose outputs take a symbolic dimension's value for an extent.
    open func outputTypes(_ inputs: [TensorType], dimensions: [Int]) throws(ApusError) -> [TensorType] {
        try outputTypes(inputs)
    }

    // MARK: Kernel choice

    /// Chooses the kernels for concrete, checked types.
    open func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        throw .unsupported("\(name) has no kernel")
    }

    /// Whether an output may be written over an input of the same size that nobody reads afterwards.
    open func mayOverwrite(input: Int, output: Int) -> Bool { false }

    /// The layout in which a constant of this plain type at this input is stored when a file is written; nil: as it is.
    open func packedLayout(input: Int, type: TensorType) -> Layout? { nil }

    // MARK: Gradient

    /// The gradients of the inputs, as new nodes; nil for an input that none flows to.
    open func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        throw .unsupported("\(name) has no gradient")
    }
}
