import ApusGraph

/// How weights follow their gradients.
public protocol Optimizer: Sendable {
    /// Such as "adam".
    var name: String { get }
    var learningRate: any LearningRateSchedule { get }
    var clipping: GradientClipping { get }

    /// Names of the tensors it remembers for each weight, shaped like it.
    var slots: [String] { get }

    /// What every element of a slot is at first; 0 by default.
    var slotValue: Double { get }

    /// Inputs: weight, gradient, slots…, learning rate, step (1 at the first). Outputs: new weight, new slots….
    var operation: Operator { get }

    /// The operation for one parameter, the same for all by default.
    func operation(for parameter: Parameter) -> Operator
}

extension Optimizer {
    public var slotValue: Double { 0 }
    public func operation(for parameter: Parameter) -> Operator { operation }
}
