import Apus
import ApusConvert
import ApusGraph
import ArgumentParser
import ToolSupport

/// What makes a checkpoint of a language model a stream.
struct StreamOptions: ParsableArguments {
    @Option(help: ArgumentHelp(
        "Of a language model's folder: write functions that read a stream, this many tokens a run, instead of 'predict'.",
        valueName: "1,16,…"))
    var steps: String?

    @Option(help: "Tokens that a stream looks back on; as many as the model has positions by default.")
    var context: Int?

    @Option(help: "What a stream keeps keys and values as; f32 by default.")
    var cache: CacheType?

    func validate() throws {
        let stream = OptionNeed("'--steps'", steps != nil)
        try OptionNeed.check([("--context", context != nil, stream), ("--cache", cache != nil, stream)])
    }

    /// nil: no stream is asked for.
    var options: StepOptions? {
        get throws {
            guard let steps else { return nil }
            let chunks = try steps.split(separator: ",", omittingEmptySubsequences: false).map { text in
                guard let chunk = Int(text) else { throw ApusError.argument("--steps '\(steps)', wanted numbers, such as 1,16") }
                return chunk
            }
            guard chunks.contains(1) else {
                throw ApusError.argument("--steps '\(steps)', wanted 1 among them, such as 1,\(steps): texts end at any length")
            }
            return StepOptions(chunks: chunks, context: context, cache: (cache ?? .f32).dtype, includesPredict: false)
        }
    }
}

enum CacheType: String, ExpressibleByArgument, CaseIterable {
    case f32, f16, bf16, int8

    var dtype: DType {
        switch self {
        case .f32: .f32
        case .f16: .f16
        case .bf16: .bf16
        case .int8: .i8
        }
    }
}
