import Apus
import ApusGraph
import ApusRuntime
import ArgumentParser
import Foundation
import ToolSupport

struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Continues a text with a language model.",
        discussion: """
            apus generate gpt.apus --prompt "ROMEO:" --temperature 0.8 --top-k 40 --seed 1

            The model has a function 'step' and carries its tokenizer. The text goes to standard output as it is found.
            """)

    @Argument(help: "An .apus file.")
    var model: String

    @Option(help: "The text to continue.")
    var prompt: String

    @Option(help: "Tokens to generate at most.")
    var maxTokens = 256

    @Option(help: "Logits are divided by it; 0 takes the likeliest token.")
    var temperature = 1.0

    @Option(help: "Draw from as many of the likeliest tokens; 0: from all.")
    var topK = 0

    @Option(help: "Draw from the likeliest tokens that together have this probability.")
    var topP = 1.0

    @Option(help: "Above 1, tokens that came already become less likely.")
    var repetitionPenalty = 1.0

    @Option(help: "What is drawn depends on this alone.")
    var seed: UInt64 = 0

    @Option(help: ArgumentHelp("A text that ends the generation; may be given several times.", valueName: "text"))
    var stop: [String] = []

    @Option(help: ArgumentHelp(
        "A token that ends the generation, instead of those that the model says; may be given several times.", valueName: "token"))
    var stopToken: [Int] = []

    @OptionGroup var threading: ThreadsOption

    @OptionGroup var common: CommonOptions

    private var sampling: Sampling {
        Sampling(temperature: temperature, topK: topK, topP: topP, repetitionPenalty: repetitionPenalty, seed: seed)
    }

    func validate() throws {
        guard maxTokens >= 0 else { throw ValidationError("--max-tokens \(maxTokens), wanted 0 or more") }
        guard !stop.contains("") else { throw ValidationError("--stop '', wanted a text") }
        try asUsage { try Sampler(sampling) }
    }

    func run() throws {
        let console = common.console(toolName)
        let opened = try ApusRuntime.Model(path: model), generator: TextGenerator
        do throws(ApusError) { generator = try TextGenerator(opened, threads: threading.threads) } catch {
            throw error.within("\(model)")
        }
        let options = GenerationOptions(
            maximumTokens: maxTokens, sampling: sampling, stopTokens: stopToken.isEmpty ? nil : Set(stopToken), stopTexts: stop)
        let missing = generator.tokenizer.missing(from: prompt)
        if !missing.isEmpty, !generator.tokenizer.encode(prompt).isEmpty {
            console.progress("'\(missing.printable)' of the prompt left out: not in the vocabulary")
        }
        var failure: ApusError?
        let generation = try generator.generate(prompt, options) { piece in
            guard !common.json else { return true }
            do throws(ApusError) { try console.result(piece) } catch { failure = error }
            return failure == nil
        }
        if let failure { throw failure }
        let further = generation.tokens.count - 1
        let rate = further > 0 ? Double(further) / max(generation.seconds, 1e-9) : nil
        if common.json {
            try console.json(
                GenerationReport(
                    prompt: prompt, text: generation.text, tokens: generation.tokens, promptTokens: generation.promptTokens,
                    end: generation.end.rawValue, tokensPerSecond: rate))
        } else {
            try console.result("\n")
            let read = Quantity.counted(generation.promptTokens, "token"), written = generation.tokens.count
            let speed = rate.map { String(format: ", %.0f a second", $0) } ?? ""
            let end = generation.end == .context ? "; the model has no position for more" : ""
            console.progress("\(read) read, \(written) written\(speed)\(end)")
        }
    }
}

private struct GenerationReport: Encodable {
    let prompt: String
    let text: String
    let tokens: [Int]
    let promptTokens: Int
    let end: String
    /// Of those after the first; nil where there is none.
    let tokensPerSecond: Double?
}
