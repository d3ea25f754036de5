import ApusGraph

/// The values that another initializer gives for another shape of as many elements.
struct InShape: Initializer {
    let initializer: any Initializer
    let shape: [Int]

    func tensor(_ shape: [Int], _ random: inout Philox) throws(ApusError) -> Tensor {
        try initializer.tensor(self.shape, &random).reshaped(shape)
    }
}
