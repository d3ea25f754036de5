import Apus
import ApusGraph

extension Network {
    /// Takes the weights of a safetensors file that holds the `state_dict` of the same network in PyTorch, whose modules are named
    /// as the layers here: such as torchvision's for `ModelLibrary.resnet` and `ModelLibrary.vgg`.
    ///
    /// kernel is "weight" of Conv2d [out, in, height, width] or Linear [out, in]; gamma and beta are "weight" and "bias" of a norm;
    /// moving_mean and moving_variance its "running_mean" and "running_var"; embeddings are "weight".
    public func loadStateDict(_ path: String) throws(ApusError) {
        let tensors = try SafetensorsReader.read(path)
        let leaves = [
            "kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
            "moving_variance": "running_var", "embeddings": "weight",
        ]
        for parameter in parameters.all {
            let parts = parameter.name.split(separator: "/"), shape = parameter.value.shape
            let leaf = String(parts.last ?? "")
            let name = "\(parts.dropLast().joined(separator: "/")).\(leaves[leaf] ?? leaf)"
            guard let tensor = tensors[name] else { throw .file("\(path): no tensor '\(name)'") }
            // Of theirs, the axes of ours.
            let order = leaf != "kernel" ? Array(shape.indices) : shape.count == 4 ? [2, 3, 1, 0] : [1, 0]
            var wanted = shape
            for (own, theirs) in order.enumerated() { wanted[theirs] = shape[own] }
            guard tensor.shape == wanted else {
                throw .file("\(path): tensor '\(name)' \(Shape(tensor.shape)), wanted \(Shape(wanted))")
            }
            guard let found = tensor.constant, [.f32, .f16, .bf16].contains(found.type.dtype) else {
                throw .unsupported("\(path): tensor '\(name)' of \(tensor.elementType), wanted F32, F16 or BF16")
            }
            let constant = found.type.dtype == .f32 ? found : try Packing.cast(found, to: .f32)
            try parameters.set(parameter.name, try Tensor(constant, axes: order))
        }
    }
}

extension Tensor {
    /// The elements of a constant of f32 with its axes in another order.
    fileprivate init(_ constant: Constant, axes: [Int]) throws(ApusError) {
        let from = constant.type.shape.dimensions, shape = axes.map { from[$0] }
        let values = constant.bytes.bindMemory(to: Float.self)
        var strides = [Int](repeating: 1, count: from.count)
        for axis in from.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * from[axis + 1] }
        let steps = axes.map { strides[$0] }
        var index = [Int](repeating: 0, count: shape.count), place = 0
        var result: [Float] = []
        result.reserveCapacity(values.count)
        for _ in 0..<values.count {
            result.append(values[place])
            for axis in shape.indices.reversed() {
                index[axis] += 1
                place += steps[axis]
                if index[axis] < shape[axis] { break }
                place -= steps[axis] * shape[axis]
                index[axis] = 0
            }
        }
        try self.init(result, shape: shape)
    }
}
