import ApusGraph
import ApusRuntime

/// A network layer by layer, and what it costs.
public struct NetworkSummary: Sendable, CustomStringConvertible {
    public struct Row: Sendable {
        public let name: String
        public let kind: String
        /// Of one sample, the batch not counted.
        public let output: [Int]
        public let parameters: Int
        /// Multiply-adds of matrix products and convolutions, for one sample.
        public let macs: Int
    }

    public let name: String
    public let rows: [Row]
    public let parameters: Int
    public let trainableParameters: Int
    public let macs: Int
    /// Of a session for one sample.
    public let arenaBytes: Int
    public let sessionBytes: Int
    /// Of the exported file.
    public let fileBytes: Int

    public var description: String {
        var table = TextTable("layer", "kind", "output", ">parameters", ">MACs")
        for row in rows {
            table.add(
                row.name, row.kind, row.output.map(String.init).joined(separator: " × "),
                Quantity.count(row.parameters), Quantity.scale(Double(row.macs)))
        }
        return """
            \(name)
            \(table.text)parameters \(Quantity.count(parameters)), trainable \(Quantity.count(trainableParameters))
            one sample: \(Quantity.scale(Double(macs))) MACs, arena \(Quantity.bytes(arenaBytes)), \
            session \(Quantity.bytes(sessionBytes))
            file \(Quantity.bytes(fileBytes))

            """
    }
}

extension Network {
    /// Layers with shapes, parameters and multiply-adds; arena, session and file of what is exported.
    public func summary() throws(ApusError) -> NetworkSummary {
        let graph = Graph(name)
        let (emitted, _) = try emit(.inference, graph, function: "predict", maximumBatch: 1) { index in
            Network.append(self.parameters.all[index], to: graph)
        }
        for (i, output) in emitted.outputs.enumerated() { emitted.builder.output(outputName(i), output) }
        emitted.builder.finish()
        let cost = try GraphReport(try ValidGraph(validating: graph), function: 0)
        var rows: [NetworkSummary.Row] = []
        for call in emitted.calls {
            rows.append(
                NetworkSummary.Row(
                    name: name(of: call.layer), kind: call.layer.kind,
                    output: Array(call.outputs[0].shape.dimensions.dropFirst()),
                    parameters: cost.rows[call.nodes].reduce(0) { $0 + $1.parameters },
                    macs: cost.rows[call.nodes].reduce(0) { $0 + $1.macs }))
        }
        let exported = try untrainedExportGraph(maximumBatch: 1)
        let model = try ApusRuntime.Model(exported)
        let (arenaBytes, sessionBytes) = (try MemoryMap(model).peak, try Session.memorySize(model))
        try Goldens.add(to: exported)
        return NetworkSummary(
            name: name, rows: rows, parameters: parameters.all.reduce(0) { $0 + $1.count },
            trainableParameters: parameters.all.reduce(0) { $0 + ($1.isTrainable ? $1.count : 0) }, macs: cost.macs,
            arenaBytes: arenaBytes, sessionBytes: sessionBytes, fileBytes: try ModelWriter.bytes(exported).count)
    }
}
