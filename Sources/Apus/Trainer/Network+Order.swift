import ApusGraph

extension Network {
    /// Names of the inputs.
    var inputNames: [String] { inputs.map { name(of: $0.call.layer) } }

    /// Tensors of a dataset in the network's order: by name where they carry the wanted names, else as they come.
    func ordered(
        _ tensors: [NamedTensor], as wanted: [String], _ what: String
    ) throws(ApusError) -> [NamedTensor] {
        guard tensors.count == wanted.count else {
            throw .shape("\(tensors.count) \(what), wanted \(wanted.count): \(wanted.joined(separator: ", "))")
        }
        guard wanted.count > 1, zip(tensors, wanted).contains(where: { $0.name != $1 }) else { return tensors }
        var result: [NamedTensor] = []
        for name in wanted {
            if let tensor = tensors.first(where: { $0.name == name }) { result.append(tensor) }
        }
        guard result.isEmpty || result.count == wanted.count else {
            throw .argument(
                "\(what) named \(tensors.map(\.name).joined(separator: ", ")), wanted "
                    + "\(wanted.joined(separator: ", "))")
        }
        return result.isEmpty ? tensors : result
    }
}
