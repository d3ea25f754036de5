extension QuantizationReport {
    /// One page without scripts or files beside it: the model in a table, and a bar for every node's signal to noise.
    public func html(title: String) -> String {
        let name = title.isEmpty ? "model" : QuantizationReport.escaped(title)
        let rows = summary.map { "<tr><th>\(QuantizationReport.escaped($0.name))</th><td>\(QuantizationReport.escaped($0.value))</td></tr>" }
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>Quantization of \(name)</title>
            <style>
            body { font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222 }
            table { border-collapse: collapse } th { text-align: left; font-weight: 600 } td, th { padding: .2em 1em .2em 0; vertical-align: top }
            svg text { font: 12px monospace } .isolated { fill: #2a6fb0 } .accumulated { fill: #b9d3ea }
            </style></head><body>
            <h1>Quantization of \(name)</h1>
            <table id="summary">\(rows.joined())</table>
            <h2>Signal to quantization noise, dB</h2>
            <p>Dark: this node alone on integers. Light: all of them. The worst stand first.</p>
            \(bars)
            <h2>Nodes</h2>
            <table id="nodes"><tr><th>node</th><th>operator</th><th>isolated dB</th><th>accumulated dB</th><th>saturated</th><th>outliers</th></tr>
            \(nodeRows)
            </table></body></html>

            """
    }

    private var bars: String {
        // A character of the font is 7.2 wide.
        let longest = nodes.reduce(0) { max($0, $1.name.count) }, left = 16 + longest * 15 / 2
        let height = 34, width = 360.0, most = 80.0
        var parts: [String] = []
        for (i, node) in nodes.enumerated() {
            let y = i * height
            func bar(_ value: Double?, _ kind: String, _ top: Int) -> String {
                guard let value else { return "" }
                let length = Int(max(0, min(value, most)) / most * width)
                return "<rect class=\"\(kind)\" x=\"\(left)\" y=\"\(top)\" width=\"\(length)\" height=\"12\"/>"
                    + "<text x=\"\(left + length + 4)\" y=\"\(top + 11)\">\(Quantity.digits(value))</text>"
            }
            parts.append(
                "<text x=\"\(left - 8)\" y=\"\(y + 18)\" text-anchor=\"end\">\(QuantizationReport.escaped(node.name))</text>"
                    + bar(node.isolated, "isolated", y + 2) + bar(node.accumulated, "accumulated", y + 16))
        }
        return "<svg width=\"\(left + Int(width) + 60)\" height=\"\(nodes.count * height)\" role=\"img\">\(parts.joined())</svg>"
    }

    private var nodeRows: String {
        nodes.map { node in
            let cells = [
                node.name, node.operation, node.isolated.map(Quantity.digits) ?? "", node.accumulated.map(Quantity.digits) ?? "",
                node.saturated.map { "\(Quantity.digits(100 * $0)) %" } ?? "", node.outlierRatio.map(Quantity.digits) ?? "",
            ]
            return "<tr>" + cells.map { "<td>\(QuantizationReport.escaped($0))</td>" }.joined() + "</tr>"
        }.joined(separator: "\n")
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}
