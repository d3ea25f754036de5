import Apus
import ApusGraph
import Foundation

extension Network {
    /// A network of layers with the weights of a folder that `save_pretrained` of `transformers` wrote, or of the encoder of a
    /// `sentence-transformers` folder: BERT and DistilBERT as `ModelLibrary.bert`, GPT-2 as `ModelLibrary.gpt`, for sequences of
    /// `length` tokens. It is trained further as any other network.
    public static func pretrained(_ path: String, length: Int) throws(ApusError) -> Network {
        try pretrained(path, length: length) { _ in }
    }

    /// `warn` hears what the network lacks of the folder.
    static func pretrained(_ path: String, length: Int, warn: (String) -> Void) throws(ApusError) -> Network {
        let root = CheckpointFolder(URL(fileURLWithPath: path))
        let folder = try SentencePooling(root).map { pooling throws(ApusError) in pooling.encoder } ?? root
        let (model, _) = try CheckpointImporter.model(folder)
        guard 1...model.positions ~= length else {
            throw .argument("sequences of \(length) tokens, wanted 1 ... \(model.positions), the model's positions")
        }
        let tensors = try Checkpoint(folder, anchor: model.anchor)
        let network = try model.network(tensors, length: length)
        for parameter in network.parameters.all {
            let name = LayerName(parameter.name)
            guard let source = model.source(name) else { throw .unsupported("no tensor for '\(parameter.name)'") }
            do throws(ApusError) {
                let value = try source.value(name.leaf, parameter.value.shape, tensors)
                try network.parameters.set(parameter.name, value)
            } catch {
                throw error.within("\(path)")
            }
        }
        do throws(ApusError) { try CheckpointImporter.checkUnused(tensors, of: model, warn) } catch { throw error.within("\(path)") }
        return network
    }
}

/// A parameter's name "block_3/attention/query/kernel" in its parts: block 3, "attention/query", "kernel"; the block is nil
/// outside of blocks.
struct LayerName {
    let block: Int?
    let part: String
    let leaf: String

    init(_ name: String) {
        var parts = name.split(separator: "/").map { String($0) }
        leaf = parts.removeLast()
        block = parts.first.flatMap { $0.hasPrefix("block_") ? Int($0.dropFirst("block_".count)) : nil }
        if block != nil { parts.removeFirst() }
        part = parts.joined(separator: "/")
    }
}

/// A layer of a checkpoint.
struct CheckpointSource {
    let name: String
    /// Kernels are [out, in], as PyTorch's Linear keeps them; else [in, out].
    var isTransposed = true
    /// Which third of the columns it is.
    var third: Int?

    /// The value of a parameter of a shape.
    func value(_ leaf: String, _ shape: [Int], _ tensors: Checkpoint) throws(ApusError) -> Tensor {
        switch leaf {
        case "kernel" where third == nil && isTransposed:
            return try tensor(try tensors.tensor("\(name).weight", shape.reversed()).transposed(), shape)
        case "gamma", "beta":
            // The first checkpoints of BERT call them so too.
            let usual = leaf == "gamma" ? "weight" : "bias"
            return try tensor(try tensors.tensor("\(name).\(tensors.has("\(name).gamma") ? leaf : usual)", shape), shape)
        default:
            let own = leaf == "bias" ? "bias" : "weight"
            guard let third else { return try tensor(try tensors.tensor("\(name).\(own)", shape), shape) }
            let columns = shape.last!
            let joint = try tensors.tensor("\(name).\(own)", shape.dropLast() + [3 * columns])
            return try withExtendedLifetime(joint) { () throws(ApusError) in
                let all = joint.bytes.bindMemory(to: Float.self)
                return try Tensor(
                    (0..<shape.reduce(1, *)).map { all[($0 / columns * 3 + third) * columns + $0 % columns] }, shape: shape)
            }
        }
    }

    private func tensor(_ constant: Constant, _ shape: [Int]) throws(ApusError) -> Tensor {
        try Tensor(copying: UnsafeRawBufferPointer(constant.bytes), dtype: .f32, shape: shape)
    }
}
