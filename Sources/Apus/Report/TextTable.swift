/// Rows of text in columns. Columns of numbers stand to the right.
public struct TextTable {
    public enum Alignment: Sendable { case left, right }

    private let titles: [String]
    private let alignments: [Alignment]
    private var rows: [[String]] = []

    /// A title that starts with ">" is that of a column that stands to the right.
    public init(_ titles: String...) {
        self.titles = titles.map { $0.hasPrefix(">") ? String($0.dropFirst()) : $0 }
        alignments = titles.map { $0.hasPrefix(">") ? .right : .left }
    }

    public mutating func add(_ cells: String...) { rows.append(cells.map { $0.printable }) }

    public var text: String {
        let widths = titles.indices.map { column in
            ([titles] + rows).map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        var lines = [line(titles, widths), widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")]
        lines += rows.map { line($0, widths) }
        return lines.joined(separator: "\n") + "\n"
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var parts: [String] = []
        for (column, width) in widths.enumerated() {
            let cell = column < cells.count ? cells[column] : ""
            let blanks = String(repeating: " ", count: width - cell.count)
            parts.append(alignments[column] == .left ? cell + blanks : blanks + cell)
        }
        var text = parts.joined(separator: "  ")
        while text.last == " " { text.removeLast() }
        return text
    }
}

extension String {
    /// On one line and without what moves a terminal's cursor: control characters, which names in files may have, and line ends
    /// as question marks.
    public var printable: String {
        String(String.UnicodeScalarView(unicodeScalars.map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: "?"
            default: scalar
            }
        }))
    }
}
