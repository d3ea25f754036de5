import Apus
import ApusGraph
import Foundation
import ToolSupport

/// All that `train` needs to know; the keys of the JSON file are the names of the options.
struct TrainingDescription: Codable {
    /// One of `TrainingSetup.networks`.
    var model: String?
    var activation: String?
    var data: String?
    /// A share such as "0.1", or data like `data`.
    var validation: String?
    var epochs: Int?
    var batchSize: Int?
    /// Batches to an update of the weights.
    var accumulate: Int?
    /// The decay of the weights' moving average.
    var average: Double?
    var optimizer: String?
    var learningRate: Double?
    var momentum: Double?
    var weightDecay: Double?
    /// constant, cosine or one-cycle over all epochs.
    var schedule: String?
    var loss: String?
    /// balanced.
    var classWeights: String?
    /// Such as "flip,crop:4,cutout:8".
    var augment: String?
    var seed: UInt64?
    var threads: Int?
    /// f32 or bf16.
    var precision: ComputePrecision?
    /// A checkpoint.
    var initialWeights: String?
    /// Train as the int8 form computes; with it the layers that stay real, and after how many epochs what is fixed or learned.
    var quantizationAware: Bool?
    var keepFloat: [String]?
    var learnRanges: Int?
    var freezeObservers: Int?
    var freezeBatchNorm: Int?

    static func read(_ path: String) throws(ApusError) -> TrainingDescription {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ApusError(.ioError, "\(path): \(String(cString: strerror(errno)))")
        }
        guard let json = try? JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed) else {
            throw .file("\(path): not valid JSON")
        }
        guard let values = json as? [String: Any] else {
            throw .file("\(path): not an object, wanted options and their values, such as {\"epochs\": 5}")
        }
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            guard let key = CodingKeys(rawValue: name) else {
                let known = CodingKeys.allCases.map { $0.rawValue }.sorted()
                throw .file("\(path): key '\(name)', wanted some of \(known.joined(separator: ", "))")
            }
            // By itself, since the decoder's errors do not name the key of every value.
            guard let alone = try? JSONSerialization.data(withJSONObject: [name: value]),
                (try? JSONDecoder().decode(TrainingDescription.self, from: alone)) != nil
            else { throw .file("\(path): '\(name)' is \(value), wanted \(key.wanted)") }
        }
        do { return try JSONDecoder().decode(TrainingDescription.self, from: data) } catch {
            throw .file("\(path): \(error.localizedDescription)")
        }
    }

    /// The files that are read.
    var files: [String] {
        [data, validation].compactMap { $0 }.flatMap { (try? DataSource($0))?.paths ?? [] } + [initialWeights].compactMap { $0 }
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case model, activation, data, validation, epochs, batchSize = "batch-size", accumulate, average, optimizer
        case learningRate = "learning-rate", momentum, weightDecay = "weight-decay", schedule, loss
        case classWeights = "class-weights", augment, seed
        case threads, precision, initialWeights = "initial-weights", quantizationAware = "quantization-aware"
        case keepFloat = "keep-float", learnRanges = "learn-ranges", freezeObservers = "freeze-observers"
        case freezeBatchNorm = "freeze-batch-norm"

        /// What a value is to be.
        var wanted: String {
            switch self {
            case .epochs, .batchSize, .accumulate, .threads, .learnRanges, .freezeObservers, .freezeBatchNorm: "a whole number"
            case .seed: "a whole number of 0 or more"
            case .learningRate, .momentum, .weightDecay, .average: "a number"
            case .precision: ComputePrecision.allCases.map { $0.rawValue }.joined(separator: " or ")
            case .quantizationAware: "true or false"
            case .keepFloat: "a list of texts"
            case .model, .activation, .data, .validation, .optimizer, .schedule, .loss, .classWeights, .augment,
                .initialWeights:
                "a text"
            }
        }
    }

    /// The same with what `other` sets instead.
    func overridden(by other: TrainingDescription) -> TrainingDescription {
        TrainingDescription(
            model: other.model ?? model, activation: other.activation ?? activation, data: other.data ?? data,
            validation: other.validation ?? validation, epochs: other.epochs ?? epochs,
            batchSize: other.batchSize ?? batchSize, accumulate: other.accumulate ?? accumulate,
            average: other.average ?? average, optimizer: other.optimizer ?? optimizer,
            learningRate: other.learningRate ?? learningRate, momentum: other.momentum ?? momentum,
            weightDecay: other.weightDecay ?? weightDecay, schedule: other.schedule ?? schedule,
            loss: other.loss ?? loss, classWeights: other.classWeights ?? classWeights,
            augment: other.augment ?? augment, seed: other.seed ?? seed, threads: other.threads ?? threads,
            precision: other.precision ?? precision,
            initialWeights: other.initialWeights ?? initialWeights,
            quantizationAware: other.quantizationAware ?? quantizationAware, keepFloat: other.keepFloat ?? keepFloat,
            learnRanges: other.learnRanges ?? learnRanges, freezeObservers: other.freezeObservers ?? freezeObservers,
            freezeBatchNorm: other.freezeBatchNorm ?? freezeBatchNorm)
    }
}
