import ApusGraph
import CKernels
import Foundation

/// How a range is chosen for the codes of a value, from a histogram of what it was.
public enum CalibrationMethod: String, Sendable, CaseIterable {
    /// All that was seen.
    case minmax
    /// All but one value in 10,000, half of them at either end.
    case percentile
    /// The range whose codes have the least mean square error.
    case mse
    /// The range whose codes keep the distribution best: the least Kullback–Leibler divergence.
    case entropy

    /// Scale and zero point of −128 ... 127 over the range; 0 is a code of its own.
    func codes(_ histogram: Histogram) -> CodeScale {
        let (low, high) = range(histogram)
        return CodeScale(low: low, high: high)
    }

    private func range(_ h: Histogram) -> (Double, Double) {
        let all = (Double(h.minimum), Double(h.maximum))
        guard h.total > 0, h.limit > 0 else { return all }
        switch self {
        case .minmax: return all
        case .percentile: return percentile(h, 1e-4)
        case .mse: return best(h) { squareError(h, $0, $1) }
        case .entropy: return best(h) { divergence(h, $0, $1) }
        }
    }

    private func percentile(_ h: Histogram, _ share: Double) -> (Double, Double) {
        let allowed = Double(h.total) * share / 2
        func edge(_ bins: some Sequence<Int>) -> Int {
            var beyond = 0.0
            for bin in bins {
                beyond += Double(h.counts[bin])
                if beyond > allowed { return bin }
            }
            return Histogram.binCount / 2
        }
        let low = h.center(edge(0..<Histogram.binCount)), high = h.center(edge((0..<Histogram.binCount).reversed()))
        return (max(min(low, 0), Double(h.minimum)), min(max(high, 0), Double(h.maximum)))
    }

    /// The range of least cost among those that cut both ends, or one of them, by the same steps.
    private func best(_ h: Histogram, _ cost: (Double, Double) -> Double) -> (Double, Double) {
        let low = Double(h.minimum), high = Double(h.maximum)
        var best = (low, high), least = cost(low, high)
        for step in 1...40 {
            let factor = pow(0.95, Double(step))
            for (a, b) in [(low * factor, high * factor), (low * factor, high), (low, high * factor)] where a < b {
                let found = cost(a, b)
                if found < least { (best, least) = ((a, b), found) }
            }
        }
        return best
    }

    /// Values in the range err by a uniform share of a step, those outside by their distance to it.
    private func squareError(_ h: Histogram, _ low: Double, _ high: Double) -> Double {
        let step = (high - low) / 255
        var error = 0.0
        for (bin, count) in h.counts.enumerated() where count > 0 {
            let x = h.center(bin), beyond = max(0, max(low - x, x - high))
            error += Double(count) * (beyond > 0 ? beyond * beyond : step * step / 12)
        }
        return error
    }

    /// KL(P ‖ Q): P the histogram with what is outside at its ends, Q that of P's codes, spread over the bins that P has.
    private func divergence(_ h: Histogram, _ low: Double, _ high: Double) -> Double {
        let step = (high - low) / 255
        var mass = [Double](repeating: 0, count: 256), occupied = mass
        var p: [(code: Int, mass: Double)] = []
        for (bin, count) in h.counts.enumerated() where count > 0 {
            // The bins of the extremes may have their middles beyond them.
            let x = min(max(h.center(bin), Double(h.minimum)), Double(h.maximum))
            let code = Int(min(max(((x - low) / step).rounded(), 0), 255))
            mass[code] += x < low || x > high ? 0 : Double(count)
            occupied[code] += 1
            p.append((code, Double(count)))
        }
        let kept = mass.reduce(0, +)
        guard kept > 0 else { return .infinity }
        var result = 0.0
        for entry in p {
            let q = max(mass[entry.code] / occupied[entry.code] / kept, 1e-12), share = entry.mass / Double(h.total)
            result += share * log(share / q)
        }
        return result
    }
}

extension CodeScale {
    /// The codes of low ... high with 0 in it.
    init(low: Double, high: Double) {
        self.init(scale: 1)
        ck_code_scale(low, high, &scale, &zeroPoint)
    }
}
