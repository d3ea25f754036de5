import ApusGraph

/// The dictionary in the header of an NPY file: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
struct NPYHeader: Equatable {
    var descr: String
    var fortranOrder: Bool
    var shape: [Int]

    static let types: [(descr: String, dtype: DType)] = [
        ("<f4", .f32), ("<f8", .f64), ("<f2", .f16), ("|i1", .i8), ("|u1", .u8), ("<i2", .i16), ("<u2", .u16),
        ("<i4", .i32), ("<i8", .i64), ("|b1", .bool),
    ]

    var text: String {
        let dimensions = shape.map { "\($0)," }.joined(separator: " ")
        let tuple = shape.count == 1 ? dimensions : String(dimensions.dropLast())
        return "{'descr': '\(descr)', 'fortran_order': \(fortranOrder ? "True" : "False"), 'shape': (\(tuple)), }"
    }

    init(descr: String, fortranOrder: Bool, shape: [Int]) {
        self.descr = descr
        self.fortranOrder = fortranOrder
        self.shape = shape
    }

    init(parsing text: UnsafeRawBufferPointer, name: String) throws(ApusError) {
        var parser = Parser(text: text, name: name)
        try parser.expect("{")
        var descr: String?
        var fortranOrder: Bool?
        var shape: [Int]?
        while !parser.take("}") {
            let key = try parser.string()
            try parser.expect(":")
            switch key {
            case "descr": descr = try parser.string()
            case "fortran_order": fortranOrder = try parser.boolean()
            case "shape": shape = try parser.tuple()
            default: throw .file("\(name): found the header key '\(key)', wanted descr, fortran_order and shape")
            }
            if !parser.take(",") {
                try parser.expect("}")
                break
            }
        }
        guard let descr, let fortranOrder, let shape else {
            throw .file("\(name): the NPY header lacks descr, fortran_order or shape")
        }
        self.init(descr: descr, fortranOrder: fortranOrder, shape: shape)
    }
}

/// The little of Python's literals that the header uses; white space may stand between tokens.
private struct Parser {
    let text: UnsafeRawBufferPointer
    let name: String
    private var position = 0

    init(text: UnsafeRawBufferPointer, name: String) {
        self.text = text
        self.name = name
    }

    private var next: UInt8? { position < text.count ? text[position] : nil }

    private func failure(_ wanted: String) -> ApusError {
        .file("\(name): the NPY header is broken at its byte \(position), wanted \(wanted)")
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x09 { position += 1 }
    }

    mutating func take(_ word: StaticString) -> Bool {
        skipSpace()
        let bytes = UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard text.dropFirst(position).starts(with: bytes) else { return false }
        position += bytes.count
        return true
    }

    mutating func expect(_ word: StaticString) throws(ApusError) {
        guard take(word) else { throw failure("'\(word)'") }
    }

    mutating func string() throws(ApusError) -> String {
        skipSpace()
        guard let quote = next, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
            throw failure("a string; types with fields are not supported")
        }
        position += 1
        let start = position
        while let byte = next, byte != quote { position += 1 }
        guard next == quote else { throw failure("the end of a string") }
        defer { position += 1 }
        return String(decoding: text[start..<position], as: UTF8.self)
    }

    mutating func boolean() throws(ApusError) -> Bool {
        if take("True") { return true }
        if take("False") { return false }
        throw failure("True or False")
    }

    mutating func tuple() throws(ApusError) -> [Int] {
        try expect("(")
        var values: [Int] = []
        while !take(")") {
            values.append(try integer())
            if !take(",") {
                try expect(")")
                break
            }
        }
        return values
    }

    private mutating func integer() throws(ApusError) -> Int {
        skipSpace()
        let start = position
        while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        guard let value = Int(String(decoding: text[start..<position], as: UTF8.self)) else {
            throw failure("a dimension between 0 and \(Int.max)")
        }
        return value
    }
}
