extension QuantizationReport {
    /// For a terminal: the model in a few lines, then its nodes, worst first.
    public var text: String {
        var table = TextTable("node", "operator", ">isolated dB", ">accumulated dB", ">saturated", ">outliers")
        for node in nodes {
            table.add(
                node.name, node.operation, node.isolated.map(Quantity.digits) ?? "",
                node.accumulated.map(Quantity.digits) ?? "", node.saturated.map { "\(Quantity.digits(100 * $0)) %" } ?? "",
                node.outlierRatio.map(Quantity.digits) ?? "")
        }
        return summary.map { "\($0.name): \($0.value)\n" }.joined() + table.text
    }

    /// The model as a whole.
    var summary: [(name: String, value: String)] {
        var lines = [("scheme", scheme + (method.map { ", ranges by \($0)" } ?? ""))]
        if method != nil { lines.append(("calibrated on", "\(calibrationSamples) samples")) }
        if !steps.isEmpty {
            lines.append(("beforehand", steps.map { "\($0.name) (\($0.nodes.count) nodes)" }.joined(separator: ", ")))
        }
        if !keptReal.isEmpty { lines.append(("kept real", keptReal.joined(separator: ", "))) }
        lines.append(("same top class", topAgreement.map { "\(Quantity.digits(100 * $0)) %" } ?? "n/a"))
        lines.append(("KL divergence of outputs", divergence.map { "\(Quantity.digits($0)) nats" } ?? "n/a"))
        if let outputNoise { lines.append(("signal to noise of outputs", "\(Quantity.digits(outputNoise)) dB")) }
        if let metric, let realMetric, let quantizedMetric {
            lines.append((metric, "\(Quantity.digits(realMetric)) real, \(Quantity.digits(quantizedMetric)) quantized"))
        }
        let share = 100 * Double(quantizedBytes) / Double(max(1, realBytes))
        let sizes = "\(Quantity.bytes(realBytes)) real, \(Quantity.bytes(quantizedBytes)) quantized (\(Quantity.digits(share)) %)"
        lines.append(("size without golden pairs and report", sizes))
        if let realMicroseconds, let quantizedMicroseconds, let isFaster {
            let times = "\(Quantity.digits(realMicroseconds)) µs real, \(Quantity.digits(quantizedMicroseconds)) µs quantized"
            lines.append(("one run, one thread, here", times + (isFaster ? "" : ": NOT FASTER")))
        }
        return lines
    }
}
