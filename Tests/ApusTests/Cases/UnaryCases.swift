import ApusGraph
import Foundation

private func reference(_ f: @escaping (Double) -> Double) -> ([TestTensor]) -> [TestTensor] {
    { [TestTensor.elementwise($0) { f($0[0]) }] }
}

private func cases(
    _ op: Operator, _ label: String? = nil, from range: ClosedRange<Double> = -3...3, kinks: [Double] = [],
    differentiable: Bool = true, tolerance: Double = 0, _ f: @escaping (Double) -> Double
) -> [OperatorCase] {
    let name = label ?? op.name
    return [[], [1], [7], [16], [17], [3, 5], [2, 1030], [0, 2]].map { shape in
        OperatorCase(
            "\(name) \(shape)", op, [.real(shape, range, kinks: kinks)],
            gradients: differentiable && shape.reduce(1, *) < 20 ? [0] : [], tolerance: tolerance,
            reference: reference(f))
    } + [OperatorCase("\(name) of special floats", op, [.special], tolerance: tolerance, reference: reference(f))]
}

private func integers(_ op: Operator, _ f: @escaping (Double) -> Double) -> [OperatorCase] {
    [DType.i32, .i64].map { dtype in
        OperatorCase(
            "\(op.name) of \(dtype.name)", op, [.integers([5, 7], -9...9, dtype)], tolerance: 0,
            reference: reference(f))
    }
}

private func sign(_ x: Double) -> Double { x > 0 ? 1 : x < 0 ? -1 : x }

let unaryCases: [OperatorCase] = {
    var all = cases(.neg) { -$0 }
    all += integers(.neg) { -$0 }
    all += cases(.exp, tolerance: 1e-6) { exp($0) }
    all += cases(.log, from: 0.25...3, tolerance: 1e-6) { log($0) }
    all += cases(.sqrt, from: 0.25...3) { $0.squareRoot() }
    all += cases(.abs, kinks: [0]) { abs($0) }
    all += integers(.abs) { abs($0) }
    all += cases(.sign, differentiable: false, sign)
    all += integers(.sign, sign)
    all += cases(.reciprocal, from: 0.25...3) { 1 / $0 }
    all += cases(.square) { $0 * $0 }
    all += integers(.square) { $0 * $0 }
    all += cases(.floor, differentiable: false) { floor($0) }
    all += cases(.ceil, differentiable: false) { ceil($0) }
    all += cases(.round, differentiable: false) { $0.rounded(.toNearestOrEven) }
    all += cases(.erf, tolerance: 1e-6) { erf($0) }
    all += cases(.sin, tolerance: 1e-6) { sin($0) }
    all += cases(.cos, tolerance: 1e-6) { cos($0) }
    for shape in [[1], [3, 11], [1030]] {
        all.append(OperatorCase("Not \(shape)", .not, [.booleans(shape)], reference: reference { 1 - $0 }))
    }
    return all
}()

private func clipping(_ dtype: DType, _ minimum: Float, _ maximum: Float) -> OperatorCase {
    let low = Double(minimum.rounded(.up)), high = Double(maximum.rounded(.down))
    return OperatorCase(
        "Clip of \(dtype.name) to \(minimum) ... \(maximum)", ActivationOperator(.clip(minimum: minimum, maximum: maximum)),
        [.integers([5, 7], -9...9, dtype)], tolerance: 0, reference: reference { max(low, min(high, $0)) })
}

/// f, f′ and where f′ jumps.
private struct Curve: @unchecked Sendable {
    let op: ActivationOperator
    var range: ClosedRange<Double> = -4...4
    var kinks: [Double] = []
    var tolerance = 1e-6
    let f, slope: (Double) -> Double
}

private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
private func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
/// 0·∞ is 0 in the limits that activations take.
private func times(_ a: Double, _ b: Double) -> Double { a == 0 || b == 0 ? 0 : a * b }
private func normal(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }
private func density(_ x: Double) -> Double { exp(-x * x / 2) / (2 * Double.pi).squareRoot() }
private func inner(_ x: Double) -> Double { 2 * (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x) }
private func innerSlope(_ x: Double) -> Double { 2 * (2 / Double.pi).squareRoot() * (1 + 3 * 0.044715 * x * x) }
private func bell(_ x: Double) -> Double { sigmoid(x) * sigmoid(-x) }
private func clip(_ x: Double, _ low: Double, _ high: Double) -> Double { x.isNaN ? x : min(max(x, low), high) }
private func between(_ x: Double, _ inside: Bool) -> Double { x.isNaN ? 0 : inside ? 1 : 0 }

private let curves: [Curve] = [
    Curve(op: ActivationOperator(.relu), kinks: [0], tolerance: 0, f: { clip($0, 0, .infinity) }, slope: { between($0, $0 > 0) }),
    Curve(
        op: ActivationOperator(.relu6), range: -3...9, kinks: [0, 6], tolerance: 0, f: { clip($0, 0, 6) },
        slope: { between($0, $0 > 0 && $0 < 6) }),
    Curve(
        op: ActivationOperator(.leakyRelu(alpha: 0.125)), kinks: [0], tolerance: 0, f: { $0 >= 0 ? $0 : 0.125 * $0 },
        slope: { $0 > 0 ? 1 : 0.125 }),
    Curve(
        op: ActivationOperator(.elu(alpha: 0.75)), kinks: [0], f: { $0 >= 0 ? $0 : 0.75 * expm1($0) },
        slope: { $0 > 0 ? 1 : 0.75 * exp($0) }),
    Curve(op: ActivationOperator(.sigmoid), f: { sigmoid($0) }, slope: { bell($0) }),
    Curve(op: ActivationOperator(.tanh), f: { tanh($0) }, slope: { $0.isNaN ? $0 : 1 / pow(cosh($0), 2) }),
    Curve(op: ActivationOperator(.gelu), f: { times($0, normal($0)) }, slope: { normal($0) + times($0, density($0)) }),
    Curve(
        op: ActivationOperator(.geluTanh), f: { times($0, sigmoid(inner($0))) },
        slope: { sigmoid(inner($0)) + times(times($0, bell(inner($0))), innerSlope($0)) }),
    Curve(op: ActivationOperator(.silu), f: { times($0, sigmoid($0)) }, slope: { sigmoid($0) + times($0, bell($0)) }),
    Curve(
        op: ActivationOperator(.hardSwish), range: -5...5, kinks: [-3, 3], f: { times($0, clip($0 + 3, 0, 6) / 6) },
        slope: { x in x < -3 ? 0 : x > 3 ? 1 : (2 * x + 3) / 6 }),
    Curve(op: ActivationOperator(.softplus), f: { softplus($0) }, slope: { sigmoid($0) }),
    Curve(
        op: ActivationOperator(.clip(minimum: -1, maximum: 1.5)), kinks: [-1, 1.5], tolerance: 0, f: { clip($0, -1, 1.5) },
        slope: { between($0, $0 >= -1 && $0 <= 1.5) }),
]

private let activations: [[OperatorCase]] = curves.map { curve in
    cases(
        curve.op, curve.op.activation.name, from: curve.range, kinks: curve.kinks, tolerance: curve.tolerance, curve.f)
}
let activationCases: [OperatorCase] = activations.flatMap { $0 } + integers(ActivationOperator(.relu)) { max($0, 0) } + [
    clipping(.i32, -2.5, 4.5), clipping(.i64, -2.5, 4.5), clipping(.i32, -.infinity, 3), clipping(.i64, -3, .infinity),
]

let activationGradientCases: [OperatorCase] = curves.flatMap { curve in
    let op = ActivationGradient(curve.op.activation), name = "ActivationGradient of \(curve.op.activation.name)"
    let reference: ([TestTensor]) -> [TestTensor] = {
        [TestTensor.elementwise($0) { times($0[1], curve.slope($0[0])) }]
    }
    return [[], [1], [7], [16], [17], [2, 1030]].map { shape in
        OperatorCase(
            "\(name) \(shape)", op, [.real(shape, curve.range, kinks: curve.kinks), .real(shape)],
            tolerance: max(curve.tolerance, 1e-6), reference: reference)
    } + [
        OperatorCase(
            "\(name) of special floats", op, [.special, .real([TestInput.specialFloats.count], 1...2)],
            tolerance: max(curve.tolerance, 1e-6), reference: reference)
    ]
}
