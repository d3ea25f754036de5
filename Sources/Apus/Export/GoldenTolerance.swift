import ApusGraph

/// How far the outputs of a golden pair may be off.
///
/// Real kernels of another machine differ in a sum's last bits. Quantizing turns such a difference into a whole code where the
/// number lies between two, so that outputs behind it are as exact as codes are, and not as exact as sums.
enum GoldenTolerance {
    static let relative: Float = 1e-3
    /// As a part of the output's largest element: of real numbers, and behind codes that are made of sums, which are 1 / 127
    /// of the greatest number.
    private static let exactness: Float = 1e-4, exactnessOfCodes: Float = 2e-2

    static func absolute(_ function: Function, _ outputs: [Constant]) -> Float {
        var largest: Float = 0
        for output in outputs where output.type.dtype == .f32 {
            for value in output.bytes.bindMemory(to: Float.self) where value.isFinite {
                largest = max(largest, abs(value))
            }
        }
        let hasRuntimeScales = function.nodes.contains {
            $0.op is DynamicDense || ($0.op as? WeightOnlyDense)?.dynamicActivations == true
                || ($0.op as? RecurrentLayer)?.stateProduct.hasCodes == true
        }
        let steps = function.codesOfSums.map { $0.scale }
        guard hasRuntimeScales || !steps.isEmpty else { return exactness * largest }
        let areIntegers = outputs.allSatisfy { !$0.type.dtype.isFloat }
        let step = steps.isEmpty ? 0 : areIntegers ? 1 : steps.max()!
        return max(exactnessOfCodes * largest, step)
    }
}

extension Function {
    /// What the codes stand for that are made of numbers whose last bits differ between instruction sets.
    fileprivate var codesOfSums: [CodeScale] {
        var isExact = inputs.map { _ in true }
        var codes: [CodeScale] = []
        for node in nodes {
            let areInputsExact = node.inputs.allSatisfy { operand in
                if case .local(let local) = operand { isExact[local] } else { true }
            }
            if let quantize = node.op as? Quantize, !areInputsExact { codes.append(quantize.output) }
            isExact += [Bool](repeating: areInputsExact && node.op.isExact, count: node.op.outputCount)
        }
        return codes
    }
}

/// Operators that only move, choose or compare elements, or compute each by one operation of IEEE 754.
private let exactOperators: Set<String> = [
    "Transpose", "Concat", "Slice", "Split", "Pad", "Gather", "Expand", "ExpandLike", "MaxPool", "GlobalMaxPool", "ReduceMax",
    "ReduceMin", "Where", "Cast", "Add", "Sub", "Mul", "Div", "Max", "Min", "Neg", "Abs", "Square", "Sqrt", "Relu", "Relu6",
    "Clip",
]

extension StateProduct {
    /// Whether the state becomes codes.
    fileprivate var hasCodes: Bool {
        switch self {
        case .real: false
        case .weightOnly(_, _, let isDynamic): isDynamic
        case .dynamic: true
        }
    }
}

extension Operator {
    /// Whether every instruction set gives the same bits for the same inputs.
    fileprivate var isExact: Bool {
        if self is DynamicDense || self is WeightOnlyDense { return false }
        return isView || isOnIntegers || exactOperators.contains(name)
    }
}
