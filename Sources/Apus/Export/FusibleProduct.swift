import ApusGraph

/// A product that takes what follows it into its node: act(x·W + bias + residual).
protocol FusibleProduct {
    var bias: Operand? { get set }
    var residual: Operand? { get set }
    var activation: Activation { get set }
    var node: Node { get }
}

extension FunctionEditor {
    /// The product, of real or integer weights, that makes a value which one node alone reads, and where it stands.
    func soleFusibleProduct(_ operand: Operand) -> (place: Int, product: any FusibleProduct)? {
        guard let place = maker(of: operand), readCount(of: operand) == 1 else { return nil }
        let node = self[place]
        if let product = Product(node) { return (place, product) }
        return IntegerWeightsProduct(node).map { (place, $0) }
    }

    /// The product takes the place of the node that read it, and its name stays.
    mutating func move(_ product: any FusibleProduct, from old: Int, to reader: Int) {
        self[reader] = product.node
        remove(old)
    }
}
