import ApusGraph

/// Samples whose tensors may lie in files: the rows of one or more inputs and of the targets that belong to them.
///
///     let digits = try FileSamples.idx(images: "train-images-idx3-ubyte", labels: "train-labels-idx1-ubyte")
public struct FileSamples: SampleSource {
    /// A tensor and the name of the model's input or output it belongs to.
    public struct Column: Sendable {
        public let name: String
        public let values: any TensorRows

        public init(_ name: String, _ values: any TensorRows) {
            self.name = name
            self.values = values
        }

        fileprivate var field: SampleField { SampleField(name, values.dtype, Array(values.shape.dropFirst())) }

        fileprivate func rows(_ indices: [Int]) throws(ApusError) -> NamedTensor {
            NamedTensor(name, try values.rows(indices))
        }
    }

    public let count: Int
    public let classNames: [String]
    public let inputFields: [SampleField]
    public let targetFields: [SampleField]
    private let inputs: [Column]
    private let targets: [Column]

    /// - Throws: `.badShape` unless there is an input and all columns have equally many rows, `.invalidArgument` for a name
    ///   that comes twice among the inputs or among the targets.
    public init(inputs: [Column], targets: [Column], classNames: [String] = []) throws(ApusError) {
        guard let rows = inputs.first?.values.shape.first else { throw .shape("samples without an input, wanted one or more") }
        for column in inputs + targets where column.values.shape.first != rows {
            throw .shape("\"\(column.name)\" is \(column.values.dtype.name) \(column.values.shape), wanted \(rows) rows "
                + "as \"\(inputs[0].name)\" has")
        }
        for names in [inputs.map(\.name), targets.map(\.name)] where Set(names).count < names.count {
            throw .argument("a name comes twice among \(names)")
        }
        count = rows
        (self.inputs, self.targets, self.classNames) = (inputs, targets, classNames)
        (inputFields, targetFields) = (inputs.map(\.field), targets.map(\.field))
    }

    public func rows(_ indices: [Int]) throws(ApusError) -> Dataset {
        var rows: [NamedTensor] = []
        for column in inputs { rows.append(try column.rows(indices)) }
        return try Dataset(inputs: rows, targets: try targetRows(indices), classNames: classNames)
    }

    public func targetRows(_ indices: [Int]) throws(ApusError) -> [NamedTensor] {
        var rows: [NamedTensor] = []
        for column in targets { rows.append(try column.rows(indices)) }
        return rows
    }

    /// The samples of `Dataset.idx`, the pictures left in their file, which is not gzipped; labels are in memory.
    public static func idx(
        images: String, labels: String, classNames: [String] = []
    ) throws(ApusError) -> FileSamples {
        let pictures = try TensorFile(images)
        let classes = try IDX.labels(labels, count: pictures.shape[0])
        let row = Array(pictures.shape.dropFirst())
        let inputs = try pictures.reshaped(row: pictures.shape.count == 3 ? row + [1] : row)
        return try FileSamples(
            inputs: [Column("input", inputs)], targets: [Column("target", classes)], classNames: classNames)
    }

    /// The rows of two NPY files. Integer targets of one a sample are classes, i32 [N], and in memory; of other targets those of
    /// f32 stay in their file, numbers of one a sample are f32 [N, 1].
    public static func npy(
        inputs: String, targets: String, classNames: [String] = []
    ) throws(ApusError) -> FileSamples {
        let found = try TensorFile(targets)
        let column: any TensorRows
        if found.shape.count == 1 && found.dtype.isInteger {
            column = try NPY.read(targets).converted(to: .i32)
        } else {
            let rows = found.shape.count == 1 ? try found.reshaped(row: [1]) : found
            column = rows.dtype == .f32 ? rows : try NPY.read(targets).converted(to: .f32).reshaped(rows.shape)
        }
        return try FileSamples(
            inputs: [Column("input", try TensorFile(inputs))], targets: [Column("target", column)], classNames: classNames)
    }
}
