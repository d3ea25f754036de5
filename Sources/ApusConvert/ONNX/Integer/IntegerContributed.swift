/// ONNX Runtime's contributed operators on integers that begin or end with real numbers, as the nodes they are short for.
extension OnnxNode {
    /// A product of real A, quantized as it is when it runs, with codes B: DynamicQuantizeMatMul.
    var dynamicProduct: [OnnxNode]? {
        guard inputs.count >= 3, outputs.count == 1 else { return nil }
        var part = NodeParts(self)
        let a = part("DynamicQuantizeLinear", [inputs[0]], ["codes", "scale", "zero_point"])
        part.product((a[0], a[1], a[2]), (inputs[1], inputs[2], input(3) ?? ""), bias: input(4))
        return part.last(outputs)
    }

    /// A product of codes as real numbers: MatMulIntegerToFloat.
    var integerProduct: [OnnxNode]? {
        guard inputs.count >= 4, outputs.count == 1 else { return nil }
        var part = NodeParts(self)
        part.product((inputs[0], inputs[2], input(4) ?? ""), (inputs[1], inputs[3], input(5) ?? ""), bias: input(6))
        return part.last(outputs)
    }

    /// Attention over one product of codes, without a past: QAttention.
    var integerAttention: [OnnxNode]? {
        guard inputs.count >= 5, input(8) == nil, outputs.count == 1 else { return nil }
        var part = NodeParts(self)
        let y = part.product((inputs[0], inputs[3], input(6) ?? ""), (inputs[1], inputs[4], input(7) ?? ""), bias: input(2))
        let parts = part("Split", [y], ["q", "k", "v"], ["axis": .int(2), "num_outputs": .int(3)])
        let kept: Set = ["num_heads", "unidirectional", "scale", "mask_filter_value"]
        guard attributes.allSatisfy({ kept.contains($0.key) || $0.value.isZero }) else { return nil }
        _ = part(
            "MultiHeadAttention", parts + ["", input(5) ?? ""], "heads", attributes.filter { kept.contains($0.key) },
            domain: "com.microsoft")
        return part.last(outputs)
    }

    /// EmbedLayerNormalization of tables of codes: QEmbedLayerNormalization.
    var integerEmbedding: [OnnxNode]? {
        guard inputs.count >= 18 else { return nil }
        var part = NodeParts(self), reals: [String] = []
        for (i, name) in ["words", "positions", "segments", "gamma", "beta"].enumerated() {
            let codes = [2 + i, 8 + i, 13 + i].map { inputs[$0] }
            reals.append(codes[0].isEmpty ? "" : part("DequantizeLinear", codes, name))
        }
        _ = part(
            "EmbedLayerNormalization", [inputs[0], inputs[1]] + reals + (input(7).map { [$0] } ?? []), "norm", attributes,
            domain: "com.microsoft")
        return part.last(outputs)
    }
}

extension NodeParts {
    /// Codes, scale and zero point, which may be left out as "", of A and of B: A·B [+ bias] as real numbers.
    @discardableResult
    fileprivate mutating func product(
        _ a: (String, String, String), _ b: (String, String, String), bias: String?
    ) -> String {
        let sums = self("MatMulInteger", [a.0, b.0, a.2, b.2], "sums")
        let scale = self("Mul", [a.1, b.1], "product_scale")
        let real = self("Mul", [self("Cast", [sums], "real", ["to": .int(1)]), scale], "product")
        return bias.map { self("Add", [real, $0], "biased") } ?? real
    }
}
