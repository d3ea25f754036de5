import Apus
import ApusGraph
import Foundation

/// Samples named on the command line: KIND:PATH[,PATH…], with OPTION=VALUE among the paths.
///
///     idx:images.gz,labels.gz          cifar10:batch_1.bin,batch_2.bin
///     csv:table.csv,label=class        csv:table.csv,label=price,numeric,weight=share
///     npz:samples.npz,x=images,y=labels
///     folder:pictures,size=32x32       folder:pictures,size=28x28,gray
public struct DataSource {
    public static let kinds = "idx, cifar10, csv, npz or folder"

    /// Whether a text is KIND:PATH, rather than the name of a file that has a colon.
    public static func names(_ text: String) -> Bool {
        let isKind = ["idx", "cifar10", "csv", "npz", "folder"].contains(Setting(text).name)
        return text.contains(":") && (isKind || !FileManager.default.fileExists(atPath: text))
    }

    private let kind: String
    public private(set) var paths: [String] = []
    private var options: [String: String] = [:]

    public init(_ text: String) throws(ApusError) {
        let setting = Setting(text)
        kind = setting.name
        for part in setting.value.split(separator: ",") {
            if let equals = part.firstIndex(of: "=") {
                options[String(part[..<equals])] = String(part[part.index(after: equals)...])
            } else if ["numeric", "gray", "no-header"].contains(part) {
                options[String(part)] = ""
            } else {
                paths.append(String(part))
            }
        }
        guard !paths.isEmpty else { throw .argument("data '\(text)' names no file, wanted KIND:PATH") }
    }

    /// The samples, which stay in their files where those allow it.
    public func source() throws(ApusError) -> any SampleSource {
        switch kind {
        case "idx" where paths.count == 2 && options.isEmpty:
            // What cannot be read by rows, such as gzip, is read whole or says why not.
            if let samples = try? FileSamples.idx(images: paths[0], labels: paths[1]) { return samples }
        case "folder":
            return try folder()
        default:
            break
        }
        return try read()
    }

    /// The samples, in memory.
    ///
    /// - Parameter classPerElement: integer targets of an npz are classes whatever their shape, such as the next tokens of texts.
    public func read(classPerElement: Bool = false) throws(ApusError) -> Dataset {
        switch kind {
        case "idx":
            try allow([])
            guard paths.count == 2 else { throw .argument("idx of \(paths.count) files, wanted images,labels") }
            return try Dataset.idx(images: paths[0], labels: paths[1])
        case "cifar10":
            try allow(["layout"])
            return try CIFAR10.read(paths, layout: options["layout"] == "channels-last" ? .channelsLast : .channelsFirst)
        case "csv":
            try allow(["label", "weight", "separator", "numeric", "no-header"])
            let label = column("label") ?? -1, separator = options["separator"] ?? ""
            guard separator.count <= 1 else { throw .argument("csv separator=\(separator), wanted one character") }
            return try Dataset.csv(
                try onePath(), header: options["no-header"] == nil, separator: separator.first ?? ",", label: label,
                labels: options["numeric"] == nil ? .categorical() : .numeric, weight: column("weight"))
        case "npz":
            try allow(["x", "y", "weight"])
            let path = try onePath()
            return try archive(path, classPerElement)
        case "folder":
            let folder = try folder()
            return try folder.rows(Array(0..<folder.count))
        default:
            throw .argument("data of kind '\(kind)', wanted \(DataSource.kinds)")
        }
    }

    /// A column by name or by number.
    private func column(_ option: String) -> CSVColumn? {
        options[option].map { name in Int(name).map { .index($0) } ?? .named(name) }
    }

    private func folder() throws(ApusError) -> ImageFolder {
        try allow(["size", "gray"])
        let (height, width) = try size()
        return try ImageFolder(
            try onePath(), height: height, width: width, channels: options["gray"] == nil ? .rgb : .gray)
    }

    /// Integer targets of one a sample are classes; others are numbers.
    private func archive(_ path: String, _ classPerElement: Bool) throws(ApusError) -> Dataset {
        let x = try NPZ.read(path, array: options["x"] ?? "x"), y = try NPZ.read(path, array: options["y"] ?? "y")
        let weight = try options["weight"].map { name throws(ApusError) in try NPZ.read(path, array: name) }
        do throws(ApusError) {
            let weights = try weight?.converted(to: .f32)
            if y.dtype.isInteger && (y.shape.count == 1 || classPerElement) {
                return try Dataset(inputs: x, targets: try y.converted(to: .i32), weights: weights)
            }
            let targets = try y.converted(to: .f32)
            return try Dataset(
                inputs: x, targets: targets.shape.count == 1 ? try targets.reshaped([targets.count, 1]) : targets,
                weights: weights)
        } catch {
            throw error.within("\(path)")
        }
    }

    private func allow(_ names: Set<String>) throws(ApusError) {
        if let unknown = options.keys.sorted().first(where: { !names.contains($0) }) {
            throw .argument("data of kind \(kind) has no option '\(unknown)'")
        }
    }

    private func onePath() throws(ApusError) -> String {
        guard paths.count == 1 else { throw .argument("\(kind) of \(paths.count) files, wanted one") }
        return paths[0]
    }

    private func size() throws(ApusError) -> (Int, Int) {
        let parts = (options["size"] ?? "").split(separator: "x").compactMap { Int($0) }
        guard parts.count == 2 else { throw .argument("folder without a size, wanted size=HEIGHTxWIDTH") }
        return (parts[0], parts[1])
    }
}

extension SampleSource {
    /// Targets are class indices.
    public var isClassification: Bool { targetFields[0].dtype == .i32 }

    public var classCount: Int {
        get throws(ApusError) {
            if !classNames.isEmpty { return classNames.count }
            var largest = -1
            try eachChunk { indices throws(ApusError) in
                for label in try targetRows(indices)[0].tensor.array(of: Int32.self) { largest = max(largest, Int(label)) }
                return true
            }
            return largest + 1
        }
    }

    /// Of the first input; what follows a 255 is not read.
    private func largestByte() throws(ApusError) -> UInt8 {
        var largest: UInt8 = 0
        try eachChunk { indices throws(ApusError) in
            largest = max(largest, try rows(indices).inputs[0].tensor.withUnsafeBytes { $0.max() ?? 0 })
            return largest < 255
        }
        return largest
    }

    /// Calls `body` with all indices, some at a time, until it gives false.
    private func eachChunk(_ body: ([Int]) throws(ApusError) -> Bool) throws(ApusError) {
        let count = count
        for first in stride(from: 0, to: count, by: 256) {
            guard try body(Array(first..<min(first + 256, count))) else { return }
        }
    }

    /// What brings these samples to the range that networks like: bytes to 0...1 by their maximum, columns of a table to
    /// mean 0 and deviation 1; other numbers stay.
    public func usualNormalization() throws(ApusError) -> Normalization {
        let input = inputFields[0]
        if input.dtype == .u8 { return Normalization(scale: 1 / Float(max(1, try largestByte()))) }
        return input.shape.count == 1 ? try Normalization(of: self) : Normalization()
    }

    /// The contract that tells a reader of the exported file what to do with raw samples like these.
    public func contract(_ normalization: Normalization) -> InputContract {
        let input = inputFields[0]
        var contract = InputContract()
        contract.scale = normalization.scale
        contract.mean = normalization.mean
        contract.std = normalization.std
        // The scale of bytes is 1 over the largest.
        if input.dtype == .u8 { contract.rawRange = 0...(1 / normalization.scale).rounded() }
        if input.shape.count == 3 {
            contract.layout = "NHWC"
            contract.color = input.shape[2] == 1 ? "gray" : "RGB"
        }
        return contract
    }
}
