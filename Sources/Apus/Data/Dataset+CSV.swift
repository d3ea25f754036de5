import ApusGraph

/// A column by its name in the header or by its index, which counts from the end when negative.
public enum CSVColumn: Sendable, Equatable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case named(String)
    case index(Int)

    public init(stringLiteral name: String) { self = .named(name) }
    public init(integerLiteral index: Int) { self = .index(index) }
}

/// What a label column holds.
public enum CSVLabels: Sendable, Equatable {
    /// Names of classes; targets are their indices, i32 [N]. Without a list the classes are those found, in the order
    /// of the numbers if all are integers and of the names' bytes otherwise.
    case categorical(classNames: [String]? = nil)
    /// Numbers; targets are f32 [N, 1].
    case numeric
}

extension Dataset {
    /// A table: inputs f32 [N, columns] of every column but the label, the weight and the ignored ones, which are finite numbers.
    ///
    /// - Parameters:
    ///   - header: whether the first row names the columns.
    ///   - label: the label column, the last by default.
    ///   - weight: a column of what each sample counts in the loss, 0 or more.
    /// - Throws: `.badFile` naming line and column for a missing field, for text where a number is wanted, for a negative weight,
    ///   and for a label outside the given classes.
    public static func csv(
        _ path: String, header: Bool = true, separator: Character = ",", label: CSVColumn = -1,
        labels: CSVLabels = .categorical(), weight: CSVColumn? = nil, ignoring ignored: [CSVColumn] = []
    ) throws(ApusError) -> Dataset {
        guard let byte = separator.asciiValue, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\n") else {
            throw .argument("the separator is '\(separator)', wanted an ASCII character that is no quote or line end")
        }
        return try FileBytes(contentsOf: path).withBytes { bytes throws(ApusError) in
            var table = CSVTable(name: path, label: label, weight: weight, ignored: ignored, labels: labels)
            var reader = CSVReader(bytes, separator: byte, name: path)
            if header {
                guard try reader.next() else { throw .file("\(path): the file is empty, wanted a header and rows") }
                try table.setColumns(reader.fields)
            }
            while try reader.next() { try table.append(reader.fields, line: reader.line) }
            return try table.dataset()
        }
    }
}

private struct CSVTable {
    let name: String
    let label: CSVColumn
    let weight: CSVColumn?
    let ignored: [CSVColumn]
    let labels: CSVLabels

    private var columns: [String] = []
    private var labelIndex = 0
    private var weightIndex: Int?
    private var featureIndices: [Int] = []
    private var features: [Float] = []
    private var numbers: [Float] = []
    private var names: [String] = []
    private var weights: [Float] = []
    private var lines: [Int] = []

    init(name: String, label: CSVColumn, weight: CSVColumn?, ignored: [CSVColumn], labels: CSVLabels) {
        self.name = name
        self.label = label
        self.weight = weight
        self.ignored = ignored
        self.labels = labels
    }

    mutating func setColumns(_ columns: [String]) throws(ApusError) {
        self.columns = columns
        labelIndex = try index(of: label)
        var skipped: Set<Int> = [labelIndex]
        if let weight {
            let index = try index(of: weight)
            guard skipped.insert(index).inserted else {
                throw .file("\(name): column \"\(columns[index])\" is both label and weight, wanted two columns")
            }
            weightIndex = index
        }
        for column in ignored { skipped.insert(try index(of: column)) }
        featureIndices = columns.indices.filter { !skipped.contains($0) }
        guard !featureIndices.isEmpty else {
            throw .file("\(name): found no column beside \(columns), wanted one or more; is the separator another?")
        }
    }

    private func index(of column: CSVColumn) throws(ApusError) -> Int {
        switch column {
        case .named(let wanted):
            guard let index = columns.firstIndex(of: wanted) else {
                throw .file("\(name): there is no column \"\(wanted)\" among \(columns)")
            }
            return index
        case .index(let index):
            guard index >= -columns.count, index < columns.count else {
                throw .file("\(name): there is no column \(index): found \(columns.count) columns")
            }
            return index < 0 ? index + columns.count : index
        }
    }

    mutating func append(_ fields: [String], line: Int) throws(ApusError) {
        if columns.isEmpty { try setColumns(fields.indices.map { "column \($0)" }) }
        guard fields.count == columns.count else {
            throw .file("\(name):\(line): found \(fields.count) fields, wanted \(columns.count)")
        }
        for index in featureIndices { features.append(try number(fields[index], line, columns[index])) }
        if case .numeric = labels {
            numbers.append(try number(fields[labelIndex], line, columns[labelIndex]))
        } else {
            names.append(fields[labelIndex])
        }
        if let weightIndex {
            weights.append(try number(fields[weightIndex], line, columns[weightIndex], least: 0))
        }
        lines.append(line)
    }

    private func number(
        _ field: String, _ line: Int, _ column: String, least: Float = -.greatestFiniteMagnitude
    ) throws(ApusError) -> Float {
        guard let value = Float(trimmed(field)), value.isFinite, value >= least else {
            let wanted = least == 0 ? "a finite number of 0 or more" : "a finite number"
            throw .file("\(name):\(line): column \"\(column)\" is \"\(field)\", wanted \(wanted)")
        }
        return value
    }

    private func trimmed(_ field: String) -> Substring {
        var rest = field[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return rest
    }

    func dataset() throws(ApusError) -> Dataset {
        guard !lines.isEmpty else { throw .file("\(name): found no rows") }
        let inputs = try Tensor(features, shape: [lines.count, featureIndices.count])
        let weights = weightIndex == nil ? nil : try Tensor(self.weights)
        guard case .categorical(let given) = labels else {
            return try Dataset(inputs: inputs, targets: Tensor(numbers, shape: [lines.count, 1]), weights: weights)
        }
        let classes = given ?? Self.ordered(Set(names))
        let indexOf = Dictionary(classes.enumerated().map { ($1, Int32($0)) }, uniquingKeysWith: { first, _ in first })
        var indices: [Int32] = []
        for (row, label) in names.enumerated() {
            guard let index = indexOf[label] else {
                throw .file("\(name):\(lines[row]): the label is \"\(label)\", wanted one of \(classes)")
            }
            indices.append(index)
        }
        return try Dataset(inputs: inputs, targets: Tensor(indices), weights: weights, classNames: classes)
    }

    private static func ordered(_ names: Set<String>) -> [String] {
        let integers = names.compactMap { name in Int(name).map { (name, $0) } }
        if integers.count == names.count { return integers.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.map(\.0) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
