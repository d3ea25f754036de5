import ApusGraph

extension Tensor {
    /// The scalars in row-major order; without a shape, a vector.
    ///
    /// - Throws: `.badShape` unless the shape has as many elements.
    public init<Scalar: TensorScalar>(_ scalars: [Scalar], shape: [Int]? = nil) throws(ApusError) {
        let shape = shape ?? [scalars.count]
        let wanted = try Self.size(of: Scalar.dtype, shape: shape).count
        guard wanted == scalars.count else {
            throw .shape("found \(scalars.count) scalars for shape \(shape), wanted \(wanted)")
        }
        try self.init(dtype: Scalar.dtype, shape: shape) { bytes throws(ApusError) in
            scalars.withUnsafeBytes { bytes.copyMemory(from: $0) }
        }
    }

    /// A tensor of `bool`.
    public init(_ flags: [Bool], shape: [Int]? = nil) throws(ApusError) {
        let bytes = try Tensor(flags.map { $0 ? 1 : 0 } as [UInt8], shape: shape)
        try self.init(dtype: .bool, shape: bytes.shape) { destination throws(ApusError) in
            bytes.withUnsafeBytes { destination.copyMemory(from: $0) }
        }
    }

    /// The elements in row-major order. `Scalar` is the type of `dtype`; `bool` reads as `UInt8`.
    public func array<Scalar: TensorScalar>(of type: Scalar.Type) throws(ApusError) -> [Scalar] {
        try withUnsafeScalars(of: type) { scalars throws(ApusError) in Array(scalars) }
    }

    public func withUnsafeScalars<Scalar: TensorScalar, Result>(
        of type: Scalar.Type, _ body: (UnsafeBufferPointer<Scalar>) throws(ApusError) -> Result
    ) throws(ApusError) -> Result {
        try requireType(type)
        return try withUnsafeBytes { bytes throws(ApusError) in
            try body(bytes.bindMemory(to: Scalar.self))
        }
    }

    public mutating func withUnsafeMutableScalars<Scalar: TensorScalar, Result>(
        of type: Scalar.Type, _ body: (UnsafeMutableBufferPointer<Scalar>) throws(ApusError) -> Result
    ) throws(ApusError) -> Result {
        try requireType(type)
        return try withUnsafeMutableBytes { bytes throws(ApusError) in
            try body(bytes.bindMemory(to: Scalar.self))
        }
    }

    private func requireType<Scalar: TensorScalar>(_ type: Scalar.Type) throws(ApusError) {
        guard dtype == Scalar.dtype || dtype == .bool && Scalar.dtype == .u8 else {
            throw .argument("the tensor is \(self), wanted \(Scalar.dtype.name)")
        }
    }

    /// The elements as doubles, in row-major order.
    ///
    /// - Throws: `.unsupported` for `i4` and `u4`.
    public func doubles() throws(ApusError) -> [Double] { try dtype.dispatch(ToDoubles(tensor: self)) }

    /// Each element as the nearest value of another type, by way of `Double`: integers truncate toward zero and
    /// saturate, NaN becomes 0 there, and whatever is not 0 is true.
    ///
    /// - Throws: `.unsupported` to or from `i4` and `u4`.
    public func converted(to target: DType) throws(ApusError) -> Tensor {
        target == dtype ? self : try dtype.dispatch(ConvertFrom(tensor: self, target: target))
    }
}

private struct ToDoubles: ScalarVisitor {
    let tensor: Tensor

    func visit<Scalar: TensorScalar>(_ type: Scalar.Type) throws(ApusError) -> [Double] {
        tensor.withUnsafeBytes { $0.bindMemory(to: Scalar.self).map(\.asDouble) }
    }
}

private struct ConvertFrom: ScalarVisitor {
    let tensor: Tensor
    let target: DType

    func visit<Source: TensorScalar>(_ type: Source.Type) throws(ApusError) -> Tensor {
        try target.dispatch(ConvertTo<Source>(tensor: tensor))
    }
}

private struct ConvertTo<Source: TensorScalar>: ScalarVisitor {
    let tensor: Tensor

    func visit<Target: TensorScalar>(_ type: Target.Type) throws(ApusError) -> Tensor {
        try Tensor(dtype: Target.dtype, shape: tensor.shape) { bytes throws(ApusError) in
            let destination = bytes.bindMemory(to: Target.self)
            tensor.withUnsafeBytes { bytes in
                let source = bytes.bindMemory(to: Source.self)
                for i in 0..<source.count { destination[i] = Target(nearest: source[i].asDouble) }
            }
        }
    }
}
