import ApusGraph

/// Every element the same; Keras calls it Constant.
public struct Filled: Initializer {
    public let value: Float
    public init(_ value: Float) { self.value = value }

    public func tensor(_ shape: [Int], _ random: inout Philox) throws(ApusError) -> Tensor { try tensor(shape) }

    func tensor(_ shape: [Int]) throws(ApusError) -> Tensor {
        try Tensor(dtype: .f32, shape: shape) { bytes throws(ApusError) in
            bytes.bindMemory(to: Float.self).update(repeating: value)
        }
    }
}
