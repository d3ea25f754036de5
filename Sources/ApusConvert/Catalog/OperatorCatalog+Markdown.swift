extension OperatorCatalog {
    /// Docs/Operators.md.
    public var markdown: String {
        """
        # Operators

        Written by `convert-model --list-operators --markdown`; a test fails where this page says something else.

        ## Of Apus

        What a file may hold. *Field*: its number in `Include/apus.proto`. *Types*: what its inputs may be, where they may
        be of several types; weights in panels may be narrower. *Gradient*: whether one flows through it. *Quantized*:
        whether it takes integers that stand for reals. *Library*: `libapus` has it, or `libapus-training` alone. *ONNX*:
        whether `convert-model` exports it.

        \(apusTable)
        ## Of ONNX

        What `convert-model` imports, in these versions of the operator set, and which of them it writes.

        Where symbolic dimensions decide extents, these must be fixed all the same: channels; axes after the batch of GridSample's
        image; all of MaxPool with indices, MaxUnpool, TensorScatter, and of ScatterElements and ScatterND by `mul`, `max` or
        `min`; an axis that Scan goes along. So must amounts of padding, given or from `auto_pad`, and those from `ceil_mode` where
        the window is no wider than the padding after it and a stride less one. Memory is planned for the largest sizes: no output
        may be larger at smaller ones.

        Resize by scales in `align_corners` divides by scale · extent − 1 as it is, like the tests of ONNX; ONNX Runtime and
        PyTorch round the length down first.

        \(onnxTable)
        """
    }

    private var apusTable: String {
        OperatorCatalog.table(
            ["operator", "field", "types", "gradient", "quantized", "library", "ONNX"],
            apus.map { one in
                [
                    one.name, "\(one.code)", one.types.joined(separator: " "), OperatorCatalog.mark(one.hasGradient),
                    OperatorCatalog.mark(one.isQuantized), one.isInference ? "libapus" : "training",
                    OperatorCatalog.mark(one.isExported),
                ]
            })
    }

    private var onnxTable: String {
        OperatorCatalog.table(
            ["operator", "domain", "versions", "exported"],
            onnx.map { one in
                [
                    one.name, one.domain.isEmpty ? "ai.onnx" : one.domain,
                    one.oldest == one.newest ? "\(one.oldest)" : "\(one.oldest) – \(one.newest)",
                    OperatorCatalog.mark(one.isExported),
                ]
            })
    }

    private static func mark(_ flag: Bool) -> String { flag ? "yes" : "" }

    private static func table(_ header: [String], _ rows: [[String]]) -> String {
        ([header, header.map { _ in "---" }] + rows).map { "| \($0.joined(separator: " | ")) |\n" }.joined()
    }
}
