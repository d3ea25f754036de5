import ApusGraph

/// How an input of a case is filled.
enum TestInput {
    /// Uniform floats; values closer than 0.05 to one of `kinks` are moved away, so that differences exist there.
    case real([Int], ClosedRange<Double> = -2...2, kinks: [Double] = [])
    /// Uniform integers.
    case integers([Int], ClosedRange<Int>, DType = .i64)
    case booleans([Int])
    /// Uniform codes of i8, the least and the greatest first.
    case codes([Int], CodeScale, ClosedRange<Int> = -128...127)
    case values(TestTensor)

    func tensor(_ random: inout TestRandom) -> TestTensor {
        switch self {
        case .real(let shape, let range, let kinks):
            return TestTensor.make(.f32, shape) { _ in
                var value = Double(Float(Double.random(in: range, using: &random)))
                for kink in kinks where abs(value - kink) < 0.05 { value = kink + (value < kink ? -0.0625 : 0.0625) }
                return value
            }
        case .integers(let shape, let range, let dtype):
            return TestTensor.make(dtype, shape) { _ in Double(Int.random(in: range, using: &random)) }
        case .codes(let shape, let scale, let range):
            var tensor = TestTensor.make(.i8, shape) { _ in Double(Int.random(in: range, using: &random)) }
            for (i, edge) in [range.lowerBound, range.upperBound].enumerated() where i < tensor.count {
                tensor.values[i] = Double(edge)
            }
            tensor.quantization = scale.quantization
            return tensor
        case .booleans(let shape):
            return TestTensor.make(.bool, shape) { _ in Bool.random(using: &random) ? 1 : 0 }
        case .values(let tensor):
            return tensor
        }
    }
}

/// One situation of one operator: everything the harness checks is derived from this.
struct OperatorCase: @unchecked Sendable {
    var name: String
    var op: Operator
    var inputs: [TestInput]
    /// Inputs whose gradient is compared with central differences in Double.
    var gradients: [Int]
    /// Outputs that gradients arrive at for this; nil is all.
    var differentiable: [Int]?
    /// Outputs are compared with |found − wanted| ≤ tolerance · max(1, |wanted|). 0: every instruction set gives the
    /// reference's bytes.
    var tolerance: Double
    /// Of a staircase, what its gradient is said to be that of: a function of moved inputs, near the given ones.
    var surrogate: (([TestTensor]) -> ([TestTensor]) -> [TestTensor])?
    /// The definition, element by element, in Double.
    var reference: ([TestTensor]) -> [TestTensor]

    init(
        _ name: String, _ op: Operator, _ inputs: [TestInput], gradients: [Int] = [], through differentiable: [Int]? = nil,
        tolerance: Double = 1e-5, surrogate: (([TestTensor]) -> ([TestTensor]) -> [TestTensor])? = nil,
        reference: @escaping ([TestTensor]) -> [TestTensor]
    ) {
        self.name = name
        self.op = op
        self.inputs = inputs
        self.gradients = gradients
        self.differentiable = differentiable
        self.tolerance = tolerance
        self.surrogate = surrogate
        self.reference = reference
    }

    /// The same inputs every time.
    func tensors() -> [TestTensor] {
        var seed: UInt64 = 14_695_981_039_346_656_037
        for byte in name.utf8 { seed = (seed ^ UInt64(byte)) &* 1_099_511_628_211 }
        var random = TestRandom(seed)
        return inputs.map { $0.tensor(&random) }
    }
}
