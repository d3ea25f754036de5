import Apus
import ApusGraph

/// What another framework needs to train the same network on the same batches, and what came of it here.
///
/// Arrays: `parameter/NAME`, the initial weights; `tokens`, the whole text; `shape`, context and heads; for each step
/// `batches`, the stretches it read, `rates` and `losses`; `validation`, rows of a step and the loss on the held-out text.
struct TrainingRecord {
    private let parameters: [NamedTensor]
    private let tokens: [Int32]
    private let shape: [Int32]
    private var batches: [Int32] = []
    private var rates: [Float] = []
    private var losses: [Float] = []
    private var validation: [Float] = []

    init(_ network: Network, _ tokens: [Int32], context: Int, heads: Int) {
        parameters = network.parameters.all.map { NamedTensor("parameter/" + $0.name, $0.value) }
        self.tokens = tokens
        shape = [Int32(context), Int32(heads)]
    }

    mutating func append(_ batch: Batch, rate: Double, loss: Double) {
        batches += batch.indices.map { Int32($0) }
        rates.append(Float(rate))
        losses.append(Float(loss))
    }

    mutating func append(validationLoss: Double, step: Int) { validation += [Float(step), Float(validationLoss)] }

    func write(to path: String) throws {
        let arrays = [
            NamedTensor("tokens", try Tensor(tokens)), NamedTensor("shape", try Tensor(shape)),
            NamedTensor("batches", try Tensor(batches, shape: [rates.count, batches.count / max(1, rates.count)])),
            NamedTensor("rates", try Tensor(rates)), NamedTensor("losses", try Tensor(losses)),
            NamedTensor("validation", try Tensor(validation, shape: [validation.count / 2, 2])),
        ]
        try NPZ.write(parameters + arrays, to: path)
        print("wrote \(path)")
    }
}
