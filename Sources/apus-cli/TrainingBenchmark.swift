import Apus
import ApusGraph
import ApusRuntime
import CKernels
import CSystem
import ToolSupport

/// What a training step takes, and each operator in steps of their own with profiling on. Times are seconds.
struct TrainingBenchmark: Encodable {
    enum Limit {
        case steps(Int)
        case seconds(Double)
    }

    /// Trained ones.
    let parameters: Int
    let batch: Int
    let threads: Int
    let isa: String
    /// Building the step, and the first one, which touches its memory.
    let openSeconds, firstSeconds: Double
    let latency: Benchmark.Latency
    let samplesPerSecond: Double
    let sessionBytes: Int
    /// Of the first and of the last step.
    let firstLoss, lastLoss: Double
    let stepSeconds: [Double]
    let operators: [Benchmark.Row]

    /// - Parameter input: the shape of a sample.
    init(
        _ network: Network, input: [Int], outputs: Int, batch size: Int, threads: Int, precision: ComputePrecision, limit: Limit
    ) throws(ApusError) {
        batch = size
        self.threads = threads
        isa = InstructionSet.name(InstructionSet.selected)
        parameters = network.parameters.all.filter { $0.isTrainable }.reduce(0) { $0 + $1.count }
        let samples = try TrainingBenchmark.samples(network, input: input, outputs: outputs, count: size)
        let (loss, _) = try TrainingSetup.loss(nil, samples)
        let batch = try samples.batches(size: size, shuffleSeed: 0, epoch: 0).batch(at: 0)

        let began = cs_nanoseconds()
        let trainer = try Trainer(network, loss: loss, optimizer: Adam(), batchSize: size, threads: threads, precision: precision)
        openSeconds = Benchmark.seconds(since: began)
        let first = cs_nanoseconds()
        firstLoss = try trainer.step(batch)
        firstSeconds = Benchmark.seconds(since: first)
        sessionBytes = trainer.sessionBytes
        _ = try TrainingBenchmark.repeated(trainer, batch, limit, share: 0.1)
        (stepSeconds, lastLoss) = try TrainingBenchmark.repeated(trainer, batch, limit, share: 1)
        latency = Benchmark.Latency(stepSeconds)
        samplesPerSecond = Double(size) / latency.p50

        let profiled = try Trainer(
            network, loss: loss, optimizer: Adam(), batchSize: size, threads: threads, profile: true,
            precision: precision)
        _ = try TrainingBenchmark.repeated(profiled, batch, limit, share: 0.2)
        operators = Benchmark.rows(try profiled.profile(), profiled.stepFunction)
    }

    /// Random inputs, indices where an embedding reads them; classes in turn, or random numbers where there is one output. What
    /// tells a class for every index has random ones as targets.
    private static func samples(
        _ network: Network, input: [Int], outputs: Int, count: Int
    ) throws(ApusError) -> Dataset {
        var random = Philox(seed: 0)
        func values(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.normal()) } }
        let shape = [count] + input, elements = shape.reduce(1, *)
        func tokens(_ words: Int) throws(ApusError) -> Tensor {
            try Tensor((0..<elements).map { _ in Int32(random.next32() % UInt32(words)) }, shape: shape)
        }
        let words = network.layers.lazy.compactMap { ($0 as? Embedding)?.vocabulary }.first
        let inputs = if let words { try tokens(words) } else { try Tensor(values(elements), shape: shape) }
        if words != nil, try network.inferenceGraph(maximumBatch: 1).functions[0].outputs[0].type.shape.rank == 3 {
            return try Dataset(inputs: inputs, targets: tokens(outputs))
        }
        let targets =
            outputs == 1
            ? try Tensor(values(count), shape: [count, 1])
            : try Tensor((0..<count).map { Int32($0 % outputs) }, shape: [count])
        return try Dataset(inputs: inputs, targets: targets)
    }

    /// Steps until the share of the limit is used up, three at least: what each took, and the last loss.
    private static func repeated(
        _ trainer: Trainer, _ batch: Batch, _ limit: Limit, share: Double
    ) throws(ApusError) -> (seconds: [Double], loss: Double) {
        let began = cs_nanoseconds()
        var times: [Double] = []
        var loss = 0.0
        while true {
            switch limit {
            case .steps(let count): if Double(times.count) >= Double(count) * share { return (times, loss) }
            case .seconds(let seconds):
                if times.count >= 3 && Benchmark.seconds(since: began) >= seconds * share { return (times, loss) }
            }
            let start = cs_nanoseconds()
            loss = try trainer.step(batch)
            times.append(Benchmark.seconds(since: start))
        }
    }

    var text: String {
        var text = "\(Quantity.counted(stepSeconds.count, "step")) of \(Quantity.counted(batch, "sample")), "
        text += "\(Quantity.counted(parameters, "parameter")), \(Quantity.counted(threads, "thread")), \(isa), "
        text += "session of \(Quantity.bytes(sessionBytes)) made in \(Quantity.seconds(openSeconds)), "
        text += "first step \(Quantity.seconds(firstSeconds))\n"
        text += "\(latency.text)\n\(Quantity.digits(samplesPerSecond)) samples a second, "
        text += "loss \(Quantity.digits(firstLoss)) → \(Quantity.digits(lastLoss))\n\n"
        return text + Benchmark.Row.table(operators)
    }
}
