import CKernels
import CModelFormat

/// The attributes and the closing act(… + bias + residual) that Conv2D and Conv2DTranspose share.
public class Convolution: Operator {
    final let geometry: ConvolutionGeometry
    final let epilogue: Epilogue

    public final var strides: Size2D { geometry.window.strides }
    public final var dilations: Size2D { geometry.window.dilations }
    public final var padding: Padding { geometry.window.padding }
    public final var groups: Int { geometry.groups }
    public final var hasBias: Bool { epilogue.hasBias }
    public final var hasResidual: Bool { epilogue.hasResidual }
    public final var activation: Activation { epilogue.activation }

    init(_ geometry: ConvolutionGeometry, _ epilogue: Epilogue) {
        self.geometry = geometry
        self.epilogue = epilogue
    }

    // MARK: Shape rule

    public override final var inputCount: ClosedRange<Int> { epilogue.inputCount...epilogue.inputCount }
}
