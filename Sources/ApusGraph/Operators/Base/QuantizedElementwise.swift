import CKernels
import CModelFormat

/// What the sum and the product of two tensors of codes share: shapes broadcast as NumPy does.
///
/// Inputs: a and b, i8 quantized by one scale each. Output: y, of the node's output quantization, its codes within
/// `bounds`; it may be written over an input of its shape. Docs/Quantization.md, section 6.
public class QuantizedElementwise: Operator {
    public final let output: CodeScale
    public final let bounds: CodeBounds

    public init(output: CodeScale, bounds: CodeBounds = CodeBounds()) {
        self.output = output
        self.bounds = bounds
        super.init(outputCodes: output)
    }

    // MARK: Wire

    /// The entry of an operator whose message is CodeBounds; every member of the node's union is one pointer.
    static func entry(
        _ name: String, _ code: Apus__Node__OperatorCase,
        _ make: @escaping @Sendable (_ output: CodeScale, _ bounds: CodeBounds) -> Operator
    ) -> OperatorEntry {
        OperatorEntry(name, code) { node throws(ApusError) in
            make(try CodeScale(wire: node), CodeBounds(wire: node.quantized_add))
        }
    }

    public override final func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.quantized_add = bounds.encoded(wire)
    }

    // MARK: Shape rule

    public override final var inputCount: ClosedRange<Int> { 2...2 }
    public override final func mayOverwrite(input: Int, output: Int) -> Bool { true }

    public override final func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        try inputs[0].requireCodes("a")
        try inputs[1].requireCodes("b")
        try bounds.check()
        return [output.type(try Shape.broadcast(inputs[0].shape, inputs[1].shape))]
    }

    // MARK: Kernel choice

    /// The kernel's params for a and b; the scales are the caller's.
    final func params(_ site: KernelSite, _ a: CodeScale, _ b: CodeScale) -> ck_binary8_params {
        var params = ck_binary8_params()
        params.shape = ck_binary_params(site.inputs[0].shape, site.inputs[1].shape, to: site.outputs[0].shape)
        params.a_zero = a.zeroPoint
        params.b_zero = b.zeroPoint
        params.to = output.quantizer(bounds)
        return params
    }
}
