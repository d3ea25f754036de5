import ApusGraph

/// Inverse functions of angles, composed of a polynomial: f32, and what is rounded to less.
let trigonometricOperators: [OnnxOperator] = [
    OnnxOperator("Atan", unary: Emitter.atan),
    OnnxOperator("Asin", unary: Emitter.asin),
    OnnxOperator("Acos", unary: Emitter.acos),
]

extension Emitter {
    /// t + t³·P(t²) after atan x = π/2 − atan 1/x above 1 and atan x = π/4 + atan (x − 1)/(x + 1) above tan π/8;
    /// within 2 units of f32.
    func atan(_ x: Term) throws(ApusError) -> Term {
        try computing([x], in: [.f32]) { terms throws(ApusError) in
            let magnitude = try abs(terms[0])
            func number(_ value: Double) throws(ApusError) -> Term { try scalar(value, .f32) }
            let one = try number(1)
            let isLarge = try greater(magnitude, one)
            var t = try select(isLarge, try reciprocal(magnitude), magnitude)
            let isMiddle = try greater(t, try number(0.4142135623730951))
            t = try select(isMiddle, try div(try sub(t, one), try add(t, one)), t)
            let z = try square(t)
            var p = try number(8.05374449538e-2)
            for coefficient in [-1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1] {
                p = try add(try mul(p, z), try number(coefficient))
            }
            var angle = try add(t, try mul(try mul(p, z), t))
            angle = try select(isMiddle, try add(angle, try number(.pi / 4)), angle)
            angle = try select(isLarge, try sub(try number(.pi / 2), angle), angle)
            return try mul(angle, try sign(terms[0]))
        }
    }

    /// atan x/√(1 − x²).
    func asin(_ x: Term) throws(ApusError) -> Term {
        let one = try scalar(1, like: x)
        return try atan(try div(x, try sqrt(try mul(try sub(one, x), try add(one, x)))))
    }

    /// 2·atan √((1 − x)/(1 + x)).
    func acos(_ x: Term) throws(ApusError) -> Term {
        let one = try scalar(1, like: x)
        let half = try atan(try sqrt(try div(try sub(one, x), try add(one, x))))
        return try mul(half, try scalar(2, like: x))
    }
}
