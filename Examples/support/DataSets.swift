import Apus
import ApusGraph
import Foundation

/// Samples to train on, and others to test on.
public struct DataSets {
    public let training: Dataset
    public let test: Dataset

    /// Both under the same map.
    public func normalized(by normalization: Normalization) throws(ApusError) -> DataSets {
        DataSets(
            training: try training.normalized(by: normalization), test: try test.normalized(by: normalization))
    }

    /// Four files named as MNIST's, in a folder.
    public static func idx(_ folder: String, classNames: [String] = []) throws(ApusError) -> DataSets {
        func read(_ part: String) throws(ApusError) -> Dataset {
            try Dataset.idx(
                images: try file("\(part)-images-idx3-ubyte", in: folder),
                labels: try file("\(part)-labels-idx1-ubyte", in: folder), classNames: classNames)
        }
        let hasTest = (try? file("test-images-idx3-ubyte", in: folder)) != nil
        return DataSets(training: try read("train"), test: try read(hasTest ? "test" : "t10k"))
    }

    /// A file of the folder, gzipped or not.
    static func file(_ name: String, in folder: String) throws(ApusError) -> String {
        for path in ["\(folder)/\(name)", "\(folder)/\(name).gz"] where FileManager.default.fileExists(atPath: path) {
            return path
        }
        throw ApusError(
            .ioError, "there is no \(folder)/\(name), gzipped or not; run from the package's folder, or name the data's with --data")
    }
}

extension DataOptions {
    /// Handwritten digits of 28 × 28 pixels (LeCun, Cortes, Burges), in bytes.
    public func mnist() throws(ApusError) -> DataSets {
        try DataSets.idx("\(folder)/mnist", classNames: (0...9).map(String.init))
    }

    /// Photographs of 32 × 32 pixels (Krizhevsky 2009), in bytes: the test batch, and as many training batches as
    /// there are.
    public func cifar10() throws(ApusError) -> DataSets {
        let folder = "\(self.folder)/cifar10"
        var batches = [try DataSets.file("data_batch_1.bin", in: folder)]
        for number in 2...5 {
            if let path = try? DataSets.file("data_batch_\(number).bin", in: folder) { batches.append(path) }
        }
        return DataSets(
            training: try CIFAR10.read(batches), test: try CIFAR10.read([try DataSets.file("test_batch.bin", in: folder)]))
    }
}
