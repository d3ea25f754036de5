import ApusGraph
import Foundation

private typealias Function = (Double, Double) -> Double

private func reference(_ f: @escaping Function, as dtype: DType? = nil) -> ([TestTensor]) -> [TestTensor] {
    { [TestTensor.elementwise($0, as: dtype) { f($0[0], $0[1]) }] }
}

/// Equal shapes with and without tails, and every way to broadcast; short rows that repeat, in images of their own and on
/// either side.
private let shapes: [([Int], [Int])] = [
    ([], []), ([1], [1]), ([7], [7]), ([16], [16]), ([17], [17]), ([2, 1030], [2, 1030]), ([2, 3, 5], [5]),
    ([3, 1], [1, 4]), ([2, 1, 3], [4, 1]), ([5, 17], []), ([], [9]), ([1], [2050]), ([0, 3], [1, 3]),
    ([2, 70, 24], [2, 1, 24]), ([24], [50, 24]), ([90, 9], [9]),
]

private func cases(
    _ op: Operator, left: ClosedRange<Double> = -2...2, right: ClosedRange<Double> = -2...2, tolerance: Double = 0,
    _ f: @escaping Function
) -> [OperatorCase] {
    shapes.map { a, b in
        OperatorCase(
            "\(op.name) \(a) \(b)", op, [.real(a, left), .real(b, right)],
            gradients: a.reduce(1, *) * b.reduce(1, *) < 300 ? [0, 1] : [], tolerance: tolerance,
            reference: reference(f))
    } + [special(op, tolerance, f)]
}

/// Every pair of special floats.
private func special(
    _ op: Operator, _ tolerance: Double, as dtype: DType? = nil, _ f: @escaping Function
) -> OperatorCase {
    let values = TestInput.specialFloats, n = values.count
    return OperatorCase(
        "\(op.name) of special floats", op, [.floats([n, 1], values), .floats([1, n], values)], tolerance: tolerance,
        reference: reference(f, as: dtype))
}

private func integers(
    _ op: Operator, _ dtypes: [DType] = [.i8, .u8, .i32, .i64], left: ClosedRange<Int>? = nil,
    right: ClosedRange<Int>? = nil, as result: DType? = nil, _ f: @escaping Function
) -> [OperatorCase] {
    dtypes.map { dtype in
        let limits = dtype == .i8 ? -128...127 : dtype == .u8 ? 0...255 : -40_000...40_000
        let clamped = { (range: ClosedRange<Int>?) in range?.clamped(to: limits) ?? limits }
        return OperatorCase(
            "\(op.name) of \(dtype.name)", op,
            [.integers([3, 21], clamped(left), dtype), .integers([21], clamped(right), dtype)], tolerance: 0,
            reference: reference(f, as: result))
    }
}

private func integerPower(_ a: Double, _ b: Double) -> Double {
    if b < 0 { return a == 1 ? 1 : a == -1 ? (Int(b) % 2 == 0 ? 1 : -1) : 0 }
    return (0..<Int(b)).reduce(1) { product, _ in product * a }
}

private func integerQuotient(_ a: Double, _ b: Double) -> Double { b == 0 ? 0 : (a / b).rounded(.towardZero) }
private func larger(_ a: Double, _ b: Double) -> Double { a.isNaN || b.isNaN ? .nan : a > b ? a : b }
private func smaller(_ a: Double, _ b: Double) -> Double { a.isNaN || b.isNaN ? .nan : a < b ? a : b }

let arithmeticCases: [OperatorCase] = {
    var all = cases(.add) { $0 + $1 }
    all += integers(.add) { $0 + $1 }
    all += cases(.sub) { $0 - $1 }
    all += integers(.sub) { $0 - $1 }
    all += cases(.mul) { $0 * $1 }
    all += integers(.mul) { $0 * $1 }
    all += cases(.div, right: 0.25...2) { $0 / $1 }
    all += integers(.div, right: -3...3) { integerQuotient($0, $1) }
    all += cases(.maximum) { larger($0, $1) }
    all += integers(.maximum) { larger($0, $1) }
    all += cases(.minimum) { smaller($0, $1) }
    all += integers(.minimum) { smaller($0, $1) }
    all += cases(.pow, left: 0.25...2, tolerance: 2e-6) { pow($0, $1) }
    all += integers(.pow, left: -3...3, right: -3...4) { integerPower($0, $1) }
    // A central difference across a tie sees half the slope, which is what each operand is given.
    let left = TestInput.floats([3], [1, -2, 0]), right = TestInput.floats([2, 3], [1, -2, 0, 5, -2, -3])
    all.append(OperatorCase("Max at ties", .maximum, [left, right], gradients: [0, 1], reference: reference(larger)))
    all.append(OperatorCase("Min at ties", .minimum, [left, right], gradients: [0, 1], reference: reference(smaller)))
    all.append(
        OperatorCase(
            "Pow of negative bases", .pow, [.floats([4], [-2, -1.5, -0.5, -3]), .floats([4], [2, 3, 1, 0])],
            gradients: [0], tolerance: 2e-6, reference: reference { pow($0, $1) }))
    return all
}()

// MARK: Comparisons

private func comparisons(
    _ op: Operator, bool: Bool = false, _ f: @escaping (Double, Double) -> Bool
) -> [OperatorCase] {
    let number: Function = { f($0, $1) ? 1 : 0 }
    return shapes.map { a, b in
        OperatorCase(
            "\(op.name) \(a) \(b)", op, [.integers(a, -1...1, .f32), .integers(b, -1...1, .f32)],
            reference: reference(number, as: .bool))
    } + [special(op, 0, as: .bool, number)] + integers(op, left: 0...3, right: 0...3, as: .bool, number)
        + (bool ? logical(op, number) : [])
}

private func logical(_ op: Operator, _ f: @escaping Function) -> [OperatorCase] {
    [([4, 35], [35]), ([2050], [2050]), ([], [3])].map { a, b in
        OperatorCase("\(op.name) of bool \(a) \(b)", op, [.booleans(a), .booleans(b)], reference: reference(f))
    }
}

private func bitwise(_ op: Operator, _ f: @escaping (Int, Int) -> Int) -> [OperatorCase] {
    [(DType.i8, -128...127), (.u8, 0...255), (.i32, -70000...70000), (.i64, -(1 << 40)...1 << 40)].map { dtype, range in
        OperatorCase(
            "\(op.name) of bits of \(dtype.name)", op, [.integers([3, 40], range, dtype), .integers([40], range, dtype)],
            tolerance: 0, reference: reference { Double(f(Int($0), Int($1))) })
    }
}

let comparisonCases: [OperatorCase] = {
    var all = comparisons(.equal, bool: true) { $0 == $1 }
    all += comparisons(.notEqual, bool: true) { $0 != $1 }
    all += comparisons(.less) { $0 < $1 }
    all += comparisons(.lessOrEqual) { $0 <= $1 }
    all += comparisons(.greater) { $0 > $1 }
    all += comparisons(.greaterOrEqual) { $0 >= $1 }
    all += logical(.and) { $0 * $1 } + bitwise(.and, &)
    all += logical(.or) { max($0, $1) } + bitwise(.or, |)
    all += logical(.xor) { $0 == $1 ? 0 : 1 } + bitwise(.xor, ^)
    return all
}()

// MARK: Where

private func choices(_ name: String, _ inputs: [TestInput], gradients: [Int] = []) -> OperatorCase {
    OperatorCase("Where \(name)", Where(), inputs, gradients: gradients, tolerance: 0) {
        [TestTensor.elementwise($0) { $0[0] != 0 ? $0[1] : $0[2] }]
    }
}

let whereCases: [OperatorCase] = [
    choices("of equal shapes", [.booleans([3, 7]), .real([3, 7]), .real([3, 7])], gradients: [1, 2]),
    choices("broadcast", [.booleans([3, 1]), .real([5]), .real([2, 1, 1])], gradients: [1, 2]),
    choices("of scalars", [.booleans([17]), .real([]), .real([])], gradients: [1, 2]),
    choices("by a scalar", [.booleans([]), .real([4]), .real([4])], gradients: [1, 2]),
    choices("of 2,050", [.booleans([2050]), .real([2050]), .real([1])]),
    choices("of special floats", [.booleans([18]), .special, .real([])]),
    choices("of nothing", [.booleans([0]), .real([1]), .real([])]),
] + [DType.i8, .bool, .u16, .i32, .i64].map { dtype in
    choices("of \(dtype.name)", [.booleans([5, 9]), .integers([9], 0...1, dtype), .integers([5, 1], 0...1, dtype)])
}
