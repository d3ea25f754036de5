import ApusGraph

/// ONNX fixes no generator: what a file of Apus computes, no other runtime would.
let randomExports: [OnnxExportRule] = ["RandomUniform", "RandomNormal"].map { name in
    OnnxExportRule(name) { _ throws(ApusError) in throw .unsupported("random numbers of Apus's own generator") }
}
