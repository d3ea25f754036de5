import ApusGraph
import ApusRuntime
import CSystem

/// The SHA-256 of a file's weights, and what its header says it is; both as hexadecimal text.
public struct WeightsHash: Sendable {
    public let found: String
    public let stored: String
    public var matches: Bool { found == stored }

    public init(_ path: String) throws(ApusError) {
        let file = try ModelFile.open(path)
        do throws(ApusError) {
            stored = WeightsHash.text(try ModelReader.weightsHash(file))
        } catch {
            throw error.within("\(path)")
        }
        var hash = cs_sha256()
        cs_sha256_begin(&hash)
        cs_sha256_update(&hash, file.bytes.baseAddress, file.bytes.count)
        var digest = [UInt8](repeating: 0, count: 32)
        cs_sha256_end(&hash, &digest)
        found = WeightsHash.text(digest)
    }

    private static func text(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
