import ApusGraph

/// A tensor that a layer owns: a trained weight or a statistic.
public struct Parameter: Sendable {
    /// "layer/weight"
    public let name: String
    public var value: Tensor
    public var isTrainable: Bool
    /// False for statistics such as moving averages.
    public let isWeight: Bool
    /// How often the value was set: what a trainer that has a copy knows a new one by.
    var revision = 0

    public var count: Int { value.count }
}

/// The parameters of a network, in the order their layers first asked for them.
public final class Parameters {
    public private(set) var all: [Parameter] = []
    /// How often one was set, or what is to be trained was.
    private(set) var changes = 0
    private var indices: [String: Int] = [:]
    private let seed: UInt64

    init(seed: UInt64) { self.seed = seed }

    /// The place of the parameter with this full name.
    func find(_ name: String) -> Int? { indices[name] }

    /// The parameter with this full name; made the first time.
    func index(
        _ name: String, _ shape: [Int], _ initializer: Initializer, trainable: Bool
    ) throws(ApusError) -> Int {
        if let index = indices[name] {
            guard all[index].value.shape == shape else {
                throw .shape("'\(name)' of shape \(all[index].value.shape), wanted \(shape)")
            }
            return index
        }
        var random = Philox(seed: seed, stream: UInt64(all.count))
        let value: Tensor
        do throws(ApusError) {
            // Reserved and given back: an initializer's arrays, as large, could not fail politely.
            _ = try Tensor(dtype: .f32, shape: shape) { _ in }
            value = try initializer.tensor(shape, &random)
            guard value.shape == shape, value.dtype == .f32 else {
                throw .shape("its initializer gave \(value), wanted f32 \(shape)")
            }
        } catch {
            throw error.within("'\(name)'")
        }
        all.append(Parameter(name: name, value: value, isTrainable: trainable, isWeight: trainable))
        indices[name] = all.count - 1
        return all.count - 1
    }

    func set(_ index: Int, _ value: Tensor) {
        all[index].value = value
        all[index].revision += 1
        changes += 1
    }

    /// The value of a parameter by its full name, such as "dense_1/kernel".
    public subscript(name: String) -> Tensor? { indices[name].map { all[$0].value } }

    /// Replaces a value; the shape stays.
    public func set(_ name: String, _ value: Tensor) throws(ApusError) {
        set(try place(of: value, name), value)
    }

    /// Where a value of this name belongs, which it fits.
    private func place(of value: Tensor, _ name: String) throws(ApusError) -> Int {
        guard let index = indices[name] else { throw .argument("no parameter '\(name)'") }
        guard value.shape == all[index].value.shape, value.dtype == all[index].value.dtype else {
            throw .shape("'\(name)' set to \(value), wanted \(all[index].value)")
        }
        return index
    }

    /// Takes the values of all parameters that another network has by the same names, and returns how many: what a network
    /// that was trained before brings to one built around its layers; one that is called as a part brings them itself. Where layers
    /// of several networks meet in one, those that got other names there (`Network.name(of:)`) are not found by them: name layers
    /// whose values are to be taken.
    ///
    /// - Throws: `.badShape` for a value of another shape than here; then all values are as they were.
    @discardableResult
    public func take(from other: Parameters) throws(ApusError) -> Int {
        var taken: [(index: Int, value: Tensor)] = []
        for parameter in other.all where indices[parameter.name] != nil {
            taken.append((try place(of: parameter.value, parameter.name), parameter.value))
        }
        for (index, value) in taken { set(index, value) }
        return taken.count
    }

    /// Takes the value of a parameter of another network, and whether it is trained, for the one of this name if there is one.
    func take(_ parameter: Parameter, as name: String) throws(ApusError) {
        guard let index = indices[name] else { return }
        try set(name, parameter.value)
        all[index].isTrainable = parameter.isTrainable
    }

    /// Stops or resumes the training of every weight whose name starts with `prefix`, and returns how many there are: "dense/" is
    /// of one layer, "dense" of "dense_1" too. To be called before a trainer is made.
    @discardableResult
    public func setTrainable(_ trainable: Bool, prefix: String) -> Int {
        let chosen = all.indices.filter { all[$0].isWeight && all[$0].name.hasPrefix(prefix) }
        for i in chosen { all[i].isTrainable = trainable }
        changes += 1
        return chosen.count
    }

    /// The same for the weights of one layer, by its name. A `BatchNorm` that is not trained keeps its moving statistics, and uses
    /// them in training too.
    ///
    /// - Throws: `.invalidArgument` for a layer that has no weights.
    public func setTrainable(_ trainable: Bool, layer: String) throws(ApusError) {
        guard setTrainable(trainable, prefix: layer + "/") > 0 else {
            throw .argument("no weights of a layer '\(layer)'")
        }
    }
}
