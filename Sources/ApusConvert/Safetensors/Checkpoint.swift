import Apus
import ApusGraph
import Foundation

/// The tensors of a folder as `save_pretrained` writes it: in model.safetensors, or where there is none in the files that
/// model.safetensors.index.json names.
struct Checkpoint {
    private var tensors: [String: SafetensorsTensor] = [:]
    /// What stands before the name of each tensor of the model proper, such as "bert.".
    private let prefix: String
    private let taken = Names()

    private final class Names { var all: Set<String> = [] }

    /// `anchor` is a tensor that the model has: what stands before its name is the prefix of the others.
    init(_ folder: CheckpointFolder, anchor: String) throws(ApusError) {
        for name in try Checkpoint.files(folder) {
            tensors.merge(try SafetensorsReader.read(folder.path(name))) { $1 }
        }
        let names = tensors.keys.filter { $0 == anchor || $0.hasSuffix("." + anchor) }
        guard let shortest = names.min(by: { ($0.utf8.count, $0) < ($1.utf8.count, $1) }) else {
            throw .file("\(folder.url.path): no tensor '\(anchor)'")
        }
        prefix = String(shortest.dropLast(anchor.count))
    }

    private static func files(_ folder: CheckpointFolder) throws(ApusError) -> [String] {
        let index = "model.safetensors.index.json"
        guard folder.has(index), !folder.has("model.safetensors") else {
            if !folder.has("model.safetensors"), folder.has("pytorch_model.bin") || folder.has("pytorch_model.bin.index.json") {
                throw .unsupported("\(folder.path("pytorch_model.bin")): a pickle, wanted model.safetensors, as save_pretrained writes it")
            }
            return ["model.safetensors"]
        }
        struct Index: Decodable { let weightMap: [String: String] }
        let files = Set(try folder.json(Index.self, index).weightMap.values).sorted()
        for name in files where name.contains("/") || !name.hasSuffix(".safetensors") {
            throw .file("\(folder.path(index)): file '\(name)', wanted the name of a .safetensors file in the folder")
        }
        return files
    }

    /// The name in the file of a tensor of the model; one of the model's head has no prefix.
    private func fullName(_ name: String) -> String? {
        [prefix + name, name].first { tensors[$0] != nil }
    }

    func has(_ name: String) -> Bool { fullName(name) != nil }

    /// A tensor of a given shape as f32: in place where it is that already.
    func tensor(_ name: String, _ shape: [Int]) throws(ApusError) -> Constant {
        guard let fullName = fullName(name), let tensor = tensors[fullName] else {
            throw .file("no tensor '\(prefix + name)'")
        }
        taken.all.insert(fullName)
        guard tensor.shape == shape else {
            throw .file("tensor '\(fullName)' \(Shape(tensor.shape)), wanted \(Shape(shape)) by config.json")
        }
        guard let constant = tensor.constant, [.f32, .f16, .bf16].contains(constant.type.dtype) else {
            throw .unsupported("tensor '\(fullName)' of \(tensor.elementType), wanted F32, F16 or BF16")
        }
        return constant.type.dtype == .f32 ? constant : try Packing.cast(constant, to: .f32)
    }

    /// Throws where the file has both tensors, with different elements.
    func requireEqual(_ name: String, _ other: String) throws(ApusError) {
        guard let name = fullName(name), let other = fullName(other) else { return }
        if let a = tensors[name]?.constant, let b = tensors[other]?.constant, a.type == b.type,
            memcmp(a.bytes.baseAddress!, b.bytes.baseAddress!, a.bytes.count) == 0 { return }
        throw .file("tensor '\(name)' differs from '\(other)', wanted the same by config.json")
    }

    /// The tensors that were not asked for, in order, but for buffers that hold no weights.
    ///
    /// Throws where one of them is a weight of a layer after the first `layers`, whose tensors are named "LAYER.INDEX.".
    func unused(layers: Int, of layer: String) throws(ApusError) -> [String] {
        let names = tensors.keys.filter { name in
            !taken.all.contains(name) && !Checkpoint.buffers.contains { name == $0 || name.hasSuffix("." + $0) }
        }.sorted()
        for name in names where name.hasPrefix("\(prefix)\(layer).") {
            let index = Int(name.dropFirst(prefix.count + layer.count + 1).prefix { $0 != "." })
            if let index, index >= layers {
                throw .file("tensor '\(name)' of layer \(index), wanted layers 0 ..< \(layers) by config.json")
            }
        }
        return names
    }

    /// What versions of `transformers` store besides weights: masks and the numbers of places.
    private static let buffers = ["attn.bias", "attn.masked_bias", "position_ids"]
}

extension Constant {
    /// A matrix of f32 with rows and columns exchanged.
    func transposed() -> Constant {
        let rows = type.shape[0], columns = type.shape[1], tile = 16
        let result = HeapStorage(size: type.byteSize)
        let from = bytes.bindMemory(to: Float.self), to = result.memory.bindMemory(to: Float.self, capacity: from.count)
        for top in stride(from: 0, to: rows, by: tile) {
            for left in stride(from: 0, to: columns, by: tile) {
                for row in top..<min(top + tile, rows) {
                    for column in left..<min(left + tile, columns) {
                        to[column * rows + row] = from[row * columns + column]
                    }
                }
            }
        }
        return Constant(name, TensorType(.f32, [columns, rows]), result)
    }
}
