import ApusGraph

/// Inputs of golden pairs that only a Quantize reads: they are stored as the codes that it makes of them, which give the same
/// outputs and take a quarter of the bytes.
extension Golden {
    /// Per input of the pair's function what its codes stand for, nil where it is stored as the function takes it.
    func inputCodes(_ function: Function) -> [CodeScale?] {
        zip(inputs, function.inputs).map { stored, input in input.type.dtype == .f32 ? CodeScale(stored.type) : nil }
    }

    /// The inputs as the pair's function of a graph takes them: codes as the numbers that they stand for.
    public func realInputs(_ graph: Graph) -> [Constant] {
        zip(inputs, inputCodes(graph.functions[function])).map { stored, codes in
            codes.map { Golden.decoded(stored, $0) } ?? stored
        }
    }

    /// An input of a function as a pair stores it.
    static func stored(_ input: Constant, _ index: Int, _ function: Function) -> Constant {
        var readers: [Operator] = []
        for node in function.nodes where node.inputs.contains(.local(index)) { readers.append(node.op) }
        guard readers.count == 1, let quantize = readers[0] as? Quantize,
            !function.outputs.contains(where: { $0.operand == .local(index) })
        else { return input }
        return encoded(input, quantize.output)
    }

    private static func encoded(_ input: Constant, _ codes: CodeScale) -> Constant {
        let integers = input.bytes.bindMemory(to: Float.self).map { Int8(codes.code(of: $0)) }
        return Constant(input.name, codes.type(input.type.shape), integers.withUnsafeBytes { HeapStorage($0) })
    }

    private static func decoded(_ stored: Constant, _ codes: CodeScale) -> Constant {
        let reals = stored.bytes.bindMemory(to: Int8.self).map { codes.real(of: Int($0)) }
        return Constant(stored.name, TensorType(.f32, stored.type.shape), reals.withUnsafeBytes { HeapStorage($0) })
    }
}
