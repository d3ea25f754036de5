import ApusGraph

extension SampleSource {
    /// What weighs the classes alike for `SparseCategoricalCrossEntropy(classWeights:)`: n / (k · nᵢ) for a class of nᵢ labels,
    /// of n in all k classes that have some; 1 for a class without. Then the labels' weights sum up to n.
    ///
    /// - Parameters:
    ///   - classes: how many there are; by default as many as have names, else up to the largest label.
    ///   - index: labels of this value, such as those of padding, are not counted.
    ///   - target: the name of the target whose integers are the labels; the first by default.
    /// - Throws: `.badShape` for targets that are not integers, `.invalidArgument` where there is no such target, for a label
    ///   outside 0 ..< classes, for more than 2²⁴ classes and where no label is left to count.
    public func balancedClassWeights(
        classes: Int? = nil, ignoring index: Int? = nil, target name: String? = nil
    ) throws(ApusError) -> [Float] {
        let targets = try targetRows(Array(0..<max(0, count)))
        guard let target = name == nil ? targets.first : targets.first(where: { $0.name == name }) else {
            throw .argument("no target \(name.map { "'\($0)'" } ?? ""), wanted one of \(targets.map(\.name))")
        }
        guard target.tensor.dtype.isInteger else {
            throw .shape("\"\(target.name)\" is \(target.tensor), wanted class indices")
        }
        let labels = try target.tensor.converted(to: .i64).array(of: Int64.self).map { Int($0) }.filter { $0 != index }
        guard let largest = labels.max(), let least = labels.min() else {
            throw .argument("class weights of no labels, wanted one or more")
        }
        let classes = min(1 << 24, classes ?? (classNames.isEmpty ? largest &+ 1 : classNames.count))
        for label in [least, largest] where label < 0 || label >= classes {
            throw .argument("label \(label), wanted 0 ..< \(classes)")
        }
        var counts = [Int](repeating: 0, count: classes)
        for label in labels { counts[label] += 1 }
        let found = counts.count { $0 > 0 }
        return counts.map { $0 == 0 ? 1 : Float(Double(labels.count) / (Double(found) * Double($0))) }
    }
}
