import Apus
import ApusGraph
import Foundation

/// All that `train` needs to know; the keys of the JSON file are the names of the options.
struct TrainingDescription: Codable {
    /// mnist-cnn, cifar-cnn, cifar-resnet, cifar-mobilenet, vgg-style, or mlp with units such as "mlp:64,64".
    var model: String?
    var activation: String?
    var data: String?
    /// A share such as "0.1", or data like `data`.
    var validation: String?
    var epochs: Int?
    var batchSize: Int?
    var optimizer: String?
    var learningRate: Double?
    var momentum: Double?
    var weightDecay: Double?
    /// constant, cosine or one-cycle over all epochs.
    var schedule: String?
    var loss: String?
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
        let known = Set(CodingKeys.allCases.map { $0.rawValue })
        do {
            let keys = try JSONDecoder().decode([String: AnyValue].self, from: data).keys
            if let unknown = keys.sorted().first(where: { !known.contains($0) }) {
                throw ApusError.file("key '\(unknown)', wanted some of \(known.sorted().joined(separator: ", "))")
            }
            return try JSONDecoder().decode(TrainingDescription.self, from: data)
        } catch let error as ApusError {
            throw error.within("\(path)")
        } catch let error as DecodingError {
            throw .file("\(path): \(TrainingDescription.text(error))")
        } catch {
            throw .file("\(path): \(error.localizedDescription)")
        }
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case model, activation, data, validation, epochs, batchSize = "batch-size", optimizer
        case learningRate = "learning-rate", momentum, weightDecay = "weight-decay", schedule, loss, augment, seed
        case threads, precision, initialWeights = "initial-weights", quantizationAware = "quantization-aware"
        case keepFloat = "keep-float", learnRanges = "learn-ranges", freezeObservers = "freeze-observers"
        case freezeBatchNorm = "freeze-batch-norm"
    }

    /// Takes any JSON value, so that only the keys are looked at.
    private struct AnyValue: Decodable {
        init(from decoder: any Decoder) throws {}
    }

    private static func text(_ error: DecodingError) -> String {
        switch error {
        case .typeMismatch(let type, let context):
            "'\(context.codingPath.map { $0.stringValue }.joined(separator: "."))' is no \(type)"
        case .valueNotFound(let type, let context):
            "'\(context.codingPath.map { $0.stringValue }.joined(separator: "."))' is null, wanted a \(type)"
        case .dataCorrupted(let context): context.debugDescription
        default: "not the JSON of a training description"
        }
    }

    /// The same with what `other` sets instead.
    func overridden(by other: TrainingDescription) -> TrainingDescription {
        TrainingDescription(
            model: other.model ?? model, activation: other.activation ?? activation, data: other.data ?? data,
            validation: other.validation ?? validation, epochs: other.epochs ?? epochs,
            batchSize: other.batchSize ?? batchSize, optimizer: other.optimizer ?? optimizer,
            learningRate: other.learningRate ?? learningRate, momentum: other.momentum ?? momentum,
            weightDecay: other.weightDecay ?? weightDecay, schedule: other.schedule ?? schedule,
            loss: other.loss ?? loss, augment: other.augment ?? augment, seed: other.seed ?? seed,
            threads: other.threads ?? threads, precision: other.precision ?? precision,
            initialWeights: other.initialWeights ?? initialWeights,
            quantizationAware: other.quantizationAware ?? quantizationAware, keepFloat: other.keepFloat ?? keepFloat,
            learnRanges: other.learnRanges ?? learnRanges, freezeObservers: other.freezeObservers ?? freezeObservers,
            freezeBatchNorm: other.freezeBatchNorm ?? freezeBatchNorm)
    }
}
