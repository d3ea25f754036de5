import ApusGraph
import Foundation

/// JSON as checkpoints write it: keys in order, doubles in the shortest form that reads back exactly.
enum CheckpointText {
    static func encode(_ value: some Encodable) throws(ApusError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw .argument("cannot write \(String(describing: type(of: value))) into a checkpoint")
        }
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws(ApusError) -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do {
            return try decoder.decode(type, from: Data(text.utf8))
        } catch {
            throw .file("checkpoint without a valid \(String(describing: type))")
        }
    }

    /// A metric of the same type as `metric`, with what `text` has gathered.
    static func decode<M: Metric>(like metric: M, _ text: String) throws(ApusError) -> any Metric {
        try decode(M.self, text)
    }
}
