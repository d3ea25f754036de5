import ApusGraph
import Foundation

/// A JSON text as a value of a type. Of one that is not so, or nested deep, the error is one line that names the place.
func decodeJSON<T: Decodable>(
    _ type: T.Type, _ bytes: UnsafeRawBufferPointer, keys: JSONDecoder.KeyDecodingStrategy = .useDefaultKeys
) throws(ApusError) -> T {
    /// Names of properties are those of the file where they were made of them.
    func name(_ key: String) -> String {
        guard case .convertFromSnakeCase = keys else { return key }
        return key.map { $0.isUppercase ? "_\($0.lowercased())" : "\($0)" }.joined()
    }
    func place(_ path: [any CodingKey], _ reason: String) -> ApusError {
        path.isEmpty ? .file("\(reason)") : .file("'\(path.map { name($0.stringValue) }.joined(separator: "."))': \(reason)")
    }
    do {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = keys
        return try decoder.decode(type, from: Data(bytes))
    } catch DecodingError.keyNotFound(let key, let context) {
        throw place(context.codingPath + [key], "missing")
    } catch DecodingError.typeMismatch(let wanted, let context) {
        throw place(context.codingPath, "not of type \(wanted)")
    } catch DecodingError.valueNotFound(let wanted, let context) {
        throw place(context.codingPath, "null, wanted a value of type \(wanted)")
    } catch DecodingError.dataCorrupted(let context) {
        throw place(context.codingPath, "not valid JSON, or a number that is no integer of 64 bits")
    } catch let error as ApusError {
        throw error
    } catch {
        throw .file("not valid JSON")
    }
}
