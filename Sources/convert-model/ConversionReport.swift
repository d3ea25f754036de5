import Apus
import ApusConvert
import ToolSupport

/// What a conversion did, for people and as JSON.
struct ConversionReport: Encodable {
    struct Pass: Encodable {
        let name: String
        let changes: Int
        let nodes: Int
        let constants: Int
        let weightBytes: Int
    }

    let nodesBefore: Int
    let weightBytesBefore: Int
    let passes: [Pass]
    let output: String?
    let bytes: Int
    let goldenPairs: Int
    /// Largest difference from the answers that the source's golden pairs hold.
    let goldenDifference: Double?
    let verified: [OutputDifference]?
    let quantization: QuantizationReport?
    /// Of a model on integers the nodes that are not.
    let realNodes: [String]
    /// What the file lacks of the folder that was read, and which of its nodes `libapus` does not run.
    let warnings: [String]

    init(
        _ conversion: ModelConversion, output: String?, bytes: Int, _ verified: [OutputDifference]?,
        _ quantization: QuantizationReport?, _ warnings: [String]
    ) throws {
        let doubleNodes = output.map(ModelConversion.isOnnx) == true ? [] : try conversion.doubleNodes()
        let withNaN = conversion.constantsWithNaN
        self.warnings = warnings + (doubleNodes.isEmpty ? [] : [
            "\(Quantity.counted(doubleNodes.count, "node")) computing in f64, exact for integers up to 2⁵³, "
                + "which libapus-training runs and libapus does not: \(Quantity.list(doubleNodes))"
        ]) + (withNaN.isEmpty ? [] : ["NaN in \(Quantity.counted(withNaN.count, "constant")): \(Quantity.list(withNaN))"])
        self.quantization = quantization
        realNodes = try conversion.realNodes()
        nodesBefore = conversion.source.functions.reduce(0) { $0 + $1.nodes.count }
        weightBytesBefore = conversion.source.constants.reduce(0) { $0 + $1.type.byteSize }
        passes = conversion.passes.map {
            Pass(
                name: $0.pass.name, changes: $0.changes, nodes: $0.nodes, constants: $0.constants,
                weightBytes: $0.constantBytes)
        }
        self.output = output
        self.bytes = bytes
        goldenPairs = conversion.graph.goldens.count
        goldenDifference = conversion.goldenDifferences.map { $0.absolute }.max()
        self.verified = verified
    }

    var text: String {
        var table = TextTable("pass", ">changes", ">nodes", ">constants", ">weights")
        table.add("(as read)", "", "\(nodesBefore)", "", Quantity.bytes(weightBytesBefore))
        for pass in passes {
            table.add(
                pass.name, "\(pass.changes)", "\(pass.nodes)", "\(pass.constants)", Quantity.bytes(pass.weightBytes))
        }
        var text = table.text + "golden pairs: \(goldenPairs)"
        if let goldenDifference { text += ", at most \(Quantity.digits(goldenDifference)) from the source's answers" }
        text += "\n"
        for output in verified ?? [] {
            text += "output \(output.name.printable): max difference \(Quantity.digits(output.absolute)), "
                + "\(Quantity.digits(output.scaled)) of the largest value\n"
        }
        if let quantization { text += quantization.text }
        if !realNodes.isEmpty {
            text += "\(Quantity.counted(realNodes.count, "node")) of an integer model on real numbers: "
                + "\(Quantity.list(realNodes).printable)\n"
        }
        for warning in warnings { text += "warning: \(warning.printable)\n" }
        if let output { text += "\(output.printable): \(Quantity.bytes(bytes))\n" }
        return text
    }
}
