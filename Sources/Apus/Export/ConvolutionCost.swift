import ApusGraph

/// What a 3 × 3 convolution costs by each algorithm, in multiply-adds of the direct product. A pure function of shapes, so
/// that the choice is the same on every machine and in every run.
struct ConvolutionCost {
    /// [N, H, W, C] of the source and of the result; of an input gradient these are dy and dx.
    let source, result: Shape
    /// Weights that a run transforms, as those of training are.
    let packs: Bool

    /// Costs per element: of a product, of a transformed source, of a transformed sum, of a weight read once for each 64
    /// tiles, and of a weight transformed. Fitted by Benchmarks/kernels/winograd_bench.c.
    private struct Rates {
        let product, source, sum, weight, packing: Double
    }

    private static let direct = Rates(product: 1, source: 0, sum: 16, weight: 8, packing: 8)
    private static let winograd: [(tile: Int, rates: Rates)] = [
        (2, Rates(product: 1.1, source: 11, sum: 22, weight: 4, packing: 50)),
        (4, Rates(product: 1.2, source: 9, sum: 27, weight: 8, packing: 50)),
    ]

    /// The cheapest algorithm that can compute it, the direct one of two that cost the same.
    func cheapest(among candidates: [ConvolutionAlgorithm]) -> ConvolutionAlgorithm {
        candidates.reduce(.direct) { cost(of: $1) < cost(of: $0) ? $1 : $0 }
    }

    func cost(of algorithm: ConvolutionAlgorithm) -> Double {
        let pairs = Double(source[3]) * Double(result[3])
        guard case .winograd(let tile) = algorithm,
            let rates = ConvolutionCost.winograd.first(where: { $0.tile == tile })?.rates
        else {
            let pixels = Double(result[0]) * Double(result[1]) * Double(result[2]), rates = ConvolutionCost.direct
            return 9 * pairs * (pixels * rates.product + rates.weight + (packs ? rates.packing : 0))
                + rates.sum * pixels * Double(result[3])
        }
        let places = Double((tile + 2) * (tile + 2))
        let tiles = Double(result[0] * ((result[1] + tile - 1) / tile) * ((result[2] + tile - 1) / tile))
        let weights = rates.weight * (tiles / 64).rounded(.up) + (packs ? rates.packing : 0)
        return places
            * (tiles * (rates.product * pairs + rates.source * Double(source[3]) + rates.sum * Double(result[3]))
                + weights * pairs)
    }

    static let candidates: [ConvolutionAlgorithm] = winograd.map { .winograd(tile: $0.tile) }
}
