import ApusGraph

/// y = activation(main(x) + shortcut(x)), where the shortcut is x unless it is given (He, Zhang, Ren, Sun 2016).
///
///     Residual(activation: .relu) {
///         Conv2D(64, kernel: 3, stride: 2, padding: .same)
///         BatchNorm()
///     } shortcut: {
///         Conv2D(64, kernel: 1, stride: 2)
///     }
///
/// It owns nothing itself: in the network stand its layers, a sum and the activation.
public final class Residual: Layer {
    private let main: [Layer]
    private let shortcut: [Layer]
    private let sum = Add()
    private let activation: ActivationLayer?

    public init(
        activation: Activation = .none, @LayerBuilder main: () -> [Layer],
        @LayerBuilder shortcut: () -> [Layer] = { [] }
    ) {
        self.main = main()
        self.shortcut = shortcut()
        self.activation = activation == .none ? nil : ActivationLayer(activation)
        super.init()
    }

    public override func apply(_ inputs: [SymbolicTensor]) -> [SymbolicTensor] {
        let path = main.reduce(inputs) { $1.apply($0) }
        let around = shortcut.reduce(inputs) { $1.apply($0) }
        let result = sum.apply(path + around)
        return activation?.apply(result) ?? result
    }
}
