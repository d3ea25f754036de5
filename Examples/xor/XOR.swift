import Apus
import ApusGraph
import ArgumentParser
import ExampleSupport

@main
struct XOR: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example-xor", abstract: "Trains 2-4-1 sigmoids to be an exclusive or, by SGD and by Adam.")

    @OptionGroup var options: ExampleOptions

    static func network(seed: UInt64) throws(ApusError) -> Network {
        try Sequential(input: [2], output: "probability", name: "xor", seed: seed) {
            Dense(4, activation: .sigmoid)
            Dense(1, activation: .sigmoid)
        }
    }

    func run() throws {
        let table = try Dataset(
            inputs: Tensor([0, 0, 0, 1, 1, 0, 1, 1] as [Float], shape: [4, 2]),
            targets: Tensor([0, 1, 1, 0] as [Float], shape: [4, 1]))
        _ = try train(table, MSE(), SGD(learningRate: 1.0, momentum: 0.9), epochs: 2000)
        let network = try train(table, BinaryCrossEntropy(), Adam(learningRate: 0.1), epochs: 500)
        try options.exportIfAsked(network)
    }

    private func train(
        _ table: Dataset, _ loss: any Loss, _ optimizer: any Optimizer, epochs: Int
    ) throws(ApusError) -> Network {
        let network = try XOR.network(seed: options.seed)
        let trainer = try Trainer(
            network, loss: loss, optimizer: optimizer, batchSize: 4, seed: options.seed, threads: options.threads ?? 1)
        let history = try trainer.fit(table, epochs: options.epochs ?? epochs)
        print("\(optimizer.name), \(loss.name) \(history.last?["loss"] ?? .nan) after \(history.count) epochs")
        let inputs = try table.inputs[0].tensor.array(of: Float.self)
        for (row, output) in try network.predict(table.inputs[0].tensor).array(of: Float.self).enumerated() {
            print("  \(Int(inputs[2 * row])) xor \(Int(inputs[2 * row + 1])) = \(output)")
        }
        return network
    }
}
