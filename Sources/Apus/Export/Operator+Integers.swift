import ApusGraph

extension Operator {
    /// Whether it is one of Docs/Quantization.md: on codes, or on integer weights.
    public var isOnIntegers: Bool { 130..<150 ~= code.rawValue || (self as? RecurrentLayer)?.stateProduct.op != nil }
}
