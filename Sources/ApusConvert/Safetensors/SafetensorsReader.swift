import ApusGraph
import Foundation

/// A tensor of a safetensors file.
struct SafetensorsTensor {
    /// The element type as the file calls it, such as "BF16".
    let elementType: String
    let shape: [Int]
    /// Its elements in place; nil where Apus has no such type, or not so many dimensions.
    let constant: Constant?
}

/// The bytes of a safetensors file → tensors by name. For any bytes the answer is that or an error.
///
/// A file is a u64 N, little-endian; N bytes of JSON, an object that gives every tensor's element type, shape and place;
/// and the tensors' bytes, row-major, each byte in one tensor. The format: <https://github.com/huggingface/safetensors>.
enum SafetensorsReader {
    /// Bytes of JSON: enough for some 100,000 tensors.
    static let headerLimit = 1 << 24

    static func read(_ path: String) throws(ApusError) -> [String: SafetensorsTensor] {
        let file = try MappedFile(path)
        do throws(ApusError) { return try read(file) } catch { throw error.within("\(path)") }
    }

    static func read(_ file: Storage) throws(ApusError) -> [String: SafetensorsTensor] {
        let bytes = file.bytes
        guard bytes.count >= 8 else { throw .file("\(bytes.count) bytes: not a safetensors file") }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(min(headerLimit, bytes.count - 8)) else {
            throw .file("a header of \(length) bytes, wanted at most \(min(headerLimit, bytes.count - 8))")
        }
        let start = 8 + Int(length)
        let header = try decodeJSON(Header.self, UnsafeRawBufferPointer(rebasing: bytes[8..<start]))
        let data = UnsafeRawBufferPointer(rebasing: bytes[start...])
        try header.checkPlaces(data.count)
        var tensors: [String: SafetensorsTensor] = [:]
        for (name, entry) in header.entries {
            do throws(ApusError) {
                tensors[name] = try entry.tensor(name, data, owner: file)
            } catch {
                throw error.within("tensor '\(name)'")
            }
        }
        return tensors
    }
}

private struct Header: Decodable {
    var entries: [String: Entry] = [:]

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Name.self)
        for key in container.allKeys where key.stringValue != "__metadata__" {
            entries[key.stringValue] = try container.decode(Entry.self, forKey: key)
        }
    }

    /// Throws unless every byte of the data lies in one tensor.
    func checkPlaces(_ size: Int) throws(ApusError) {
        var position = 0, last = "the header"
        for (name, entry) in entries.sorted(by: { $0.value.dataOffsets.lexicographicallyPrecedes($1.value.dataOffsets) }) {
            let place = entry.dataOffsets
            guard place.count == 2, place[0] >= 0, place[0] <= place[1] else {
                throw .file("tensor '\(name)': data_offsets \(place), wanted a start and an end")
            }
            guard place[0] == position else {
                throw .file("tensor '\(name)' begins at \(place[0]), wanted \(position), where \(last) ends")
            }
            (position, last) = (place[1], "'\(name)'")
        }
        guard position == size else { throw .file("\(position) bytes of tensors, \(size) in the file") }
    }

    struct Entry: Decodable {
        let dtype: String
        let shape: [Int]
        let dataOffsets: [Int]

        private enum CodingKeys: String, CodingKey {
            case dtype, shape
            case dataOffsets = "data_offsets"
        }

        private static let dtypes: [String: DType] = [
            "F64": .f64, "F32": .f32, "F16": .f16, "BF16": .bf16, "I64": .i64, "I32": .i32, "I16": .i16, "I8": .i8,
            "U16": .u16, "U8": .u8, "BOOL": .bool,
        ]

        func tensor(_ name: String, _ data: UnsafeRawBufferPointer, owner: Storage) throws(ApusError) -> SafetensorsTensor {
            guard let element = Entry.dtypes[dtype], shape.count <= Shape.maximumRank else {
                return SafetensorsTensor(elementType: dtype, shape: shape, constant: nil)
            }
            guard shape.allSatisfy({ $0 >= 0 }) else { throw .file("shape \(shape)") }
            let type = TensorType(element, Shape(shape))
            try type.check()
            let bytes = UnsafeRawBufferPointer(rebasing: data[dataOffsets[0]..<dataOffsets[1]])
            let constant = try Constant(name, type, RawData(bytes: bytes, owner: owner))
            return SafetensorsTensor(elementType: dtype, shape: shape, constant: constant)
        }
    }
}
