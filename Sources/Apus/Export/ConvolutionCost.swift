import ApusGraph

/// What a 3 × 3 convolution costs by each algorithm, in multiply-adds of the direct product. A pure function of shapes, so
/// that the choice is the same on every machine and in every run.
struct ConvolutionCost {
    /// [N, H, W, C] of the source and of the result; of an input gradient these are dy and dx.
    let source, result: Shape
    /// What tiles cover: the result, or dy.
    let tiled: Shape
    /// Weights that a run transforms, as those of training are.
    let packs: Bool

    /// Costs of a product, of a number of a transformed source, of one of a sum before it is transformed back (of the
    /// direct product, of one tap), and of a transformed weight. Fitted by Benchmarks/kernels/winograd_bench.c.
    private struct Rates {
        let product, source, sum, packing: Double
    }

    private static let direct = Rates(product: 1, source: 0, sum: 2, packing: 8)
    private static let winograd: [(tile: Int, rates: Rates)] = [
        (2, Rates(product: 1.03, source: 7.5, sum: 16, packing: 21)),
        (4, Rates(product: 1.1, source: 9, sum: 17, packing: 19)),
    ]
    /// Cost of reading a weight that no second-level cache keeps from run to run, and how many it keeps.
    private static let weight = 14.0, cachedWeights = 262_144.0
    /// The part of the direct product's cost below which another algorithm is worth the space of its weights.
    private static let worthwhile = 0.85

    /// The cheapest algorithm that can compute it.
    func cheapest(among candidates: [ConvolutionAlgorithm]) -> ConvolutionAlgorithm {
        var best = ConvolutionAlgorithm.direct, least = ConvolutionCost.worthwhile * cost(of: .direct)
        for candidate in candidates where cost(of: candidate) < least {
            (best, least) = (candidate, cost(of: candidate))
        }
        return best
    }

    func cost(of algorithm: ConvolutionAlgorithm) -> Double {
        guard case .winograd(let tile) = algorithm,
            let rates = ConvolutionCost.winograd.first(where: { $0.tile == tile })?.rates
        else {
            return cost(ConvolutionCost.direct, tile: 1, places: 9)
        }
        return cost(rates, tile: tile, places: Double((tile + 2) * (tile + 2)))
    }

    /// `places` products for each pair of channels give a tile × tile of results. Products come four tiles at a time, and
    /// a few tiles cost their sums what eight do.
    private func cost(_ rates: Rates, tile: Int, places: Double) -> Double {
        let tiled = tile == 1 ? result : tiled
        let tiles = Double(tiled[0]) * Double((tiled[1] + tile - 1) / tile) * Double((tiled[2] + tile - 1) / tile)
        let fours = 4 * (tiles / 4).rounded(.up), eights = 8 * (tiles / 8).rounded(.up)
        let pairs = Double(source[3]) * Double(result[3]), weights = places * pairs
        return places * (fours * rates.product * pairs + tiles * rates.source * Double(source[3]))
            + places * eights * rates.sum * Double(result[3])
            + ConvolutionCost.weight * max(0, weights - ConvolutionCost.cachedWeights)
            + (packs ? rates.packing * weights : 0)
    }

    static let candidates: [ConvolutionAlgorithm] = winograd.map { .winograd(tile: $0.tile) }
}
