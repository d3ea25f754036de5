import Apus
import ApusGraph
import ArgumentParser
import ExampleSupport
import Foundation

@main
struct Forecasting: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example-forecasting", abstract: "Tells the next value of a series from those before it.")

    @OptionGroup var options: ExampleOptions

    @Flag(help: "A made series of two seasons and noise instead of the sunspots.")
    var synthetic = false

    /// Steps of a training window.
    static let window = 44

    /// What comes next, said at every step: so it runs as a stream too.
    static func network(seed: UInt64) throws(ApusError) -> Network {
        try Sequential(input: [window, 1], output: "next", name: "forecasting", seed: seed) {
            LSTM(32, returnSequences: true)
            Dense(1)
        }
    }

    func run() throws {
        let series = synthetic ? Forecasting.made(seed: options.seed) : Sunspots.values
        let held = series.count / 5, training = Array(series.dropLast(held))
        let mean = training.reduce(0, +) / Float(training.count)
        let deviation = (training.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(training.count)).squareRoot()
        let standard = series.map { ($0 - mean) / deviation }

        let network = try Forecasting.network(seed: options.seed)
        let samples = try windows(Array(standard.dropLast(held)))
        let trainer = try Trainer(
            network, loss: MSE(), optimizer: Adam(learningRate: 0.003), batchSize: 16, seed: options.seed,
            threads: options.threads)
        try trainer.fit(samples, epochs: options.epochs ?? 40, callbacks: options.callbacks)

        // One step ahead over what was held, each forecast from the window before it.
        var squares: Float = 0, naive: Float = 0
        for t in series.count - held..<series.count {
            let x = try Tensor(Array(standard[t - Forecasting.window..<t]), shape: [1, Forecasting.window, 1])
            let forecast = try network.predict(x).array(of: Float.self).last! * deviation + mean
            squares += (forecast - series[t]) * (forecast - series[t])
            naive += (series[t - 1] - series[t]) * (series[t - 1] - series[t])
        }
        print("root mean squared error of \(held) forecasts \(text((squares / Float(held)).squareRoot()))")
        print("of the value before \(text((naive / Float(held)).squareRoot()))")
        if let export = options.export {
            try network.export(to: export, steps: StepOptions())
            print("wrote \(export)")
        }
    }

    /// Every window of the series, and the same one step later.
    private func windows(_ series: [Float]) throws -> Dataset {
        let window = Forecasting.window, starts = 0..<series.count - window
        func rows(_ shift: Int) throws -> Tensor {
            try Tensor(starts.flatMap { series[$0 + shift..<$0 + shift + window] }, shape: [starts.count, window, 1])
        }
        return try Dataset(inputs: rows(0), targets: rows(1))
    }

    private func text(_ x: Float) -> String { String(format: "%.2f", x) }

    /// Two seasons, of 12 and of 30 steps, and noise.
    static func made(seed: UInt64) -> [Float] {
        var random = Philox(seed: seed, stream: 1)
        return (0..<600).map { t in
            let seasons = 20 * sin(2 * Double.pi * Double(t) / 12) + 12 * sin(2 * Double.pi * Double(t) / 30 + 1)
            return Float(50 + seasons + 3 * random.normal())
        }
    }
}
