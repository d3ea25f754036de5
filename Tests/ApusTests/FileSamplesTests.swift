import ApusGraph
import ApusRuntime
import Foundation
import XCTest

@testable import Apus

/// Rows of files, read as they are asked for.
final class FileSamplesTests: XCTestCase {
    private func tensor(_ dtype: DType, _ shape: [Int]) throws -> Tensor {
        var random = Philox(seed: 5)
        let values = try Tensor((0..<shape.reduce(1, *)).map { _ in random.uniform() * 200 - 50 }, shape: shape)
        return try values.converted(to: dtype)
    }

    func testRowsAreThoseOfTheWholeFile() throws {
        let folder = try ScratchFolder(), indices = [4, 0, 6, 6, 1]
        for dtype in [DType.f32, .f64, .f16, .i8, .u8, .i16, .u16, .i32, .i64, .bool] {
            for shape in [[7], [7, 3], [7, 2, 3], [7, 0]] {
                let whole = try tensor(dtype, shape), path = folder.file("a.npy")
                try NPY.write(whole, to: path)
                let file = try TensorFile(path)
                XCTAssertEqual(file.dtype, dtype)
                XCTAssertEqual(file.shape, shape)
                XCTAssertEqual(try file.rows(indices), try whole.rows(indices))
                XCTAssertEqual(try file.rows([]), try whole.rows([]))
                guard [.u8, .i8, .i16, .i32, .f32, .f64].contains(dtype) else { continue }
                try IDX.write(whole, to: folder.file("a.idx"))
                XCTAssertEqual(try TensorFile(folder.file("a.idx")).rows(indices), try whole.rows(indices))
            }
        }
        let fixtures = [(DataFixtures.npyVersion2, [1, 0]), (DataFixtures.npyBools, [2, 1]), (DataFixtures.npyFloats, [1])]
        for (content, rows) in fixtures {
            let path = try folder.write(content, "b.npy")
            XCTAssertEqual(try TensorFile(path).rows(rows), try NPY.read(path).rows(rows))
        }
    }

    func testWhatIsRefused() throws {
        let folder = try ScratchFolder()
        for (content, code, part) in [
            (DataFixtures.npyFortran, ApusError.Code.unsupported, "Fortran order"),
            (DataFixtures.npyVersion3, .unsupported, "a scalar"),
            (DataFixtures.npyBigEndian, .unsupported, "'>i4'"), (Array(DataFixtures.npyFloats.dropLast()), .badFile, "23 bytes"),
            (DataFixtures.npyFloats + [0], .badFile, "25 bytes"), ([], .badFile, "wanted an NPY file"),
            ([0, 0], .badFile, "ends early"),
            ([0, 0, 7, 1, 0, 0, 0, 0], .badFile, "wanted an IDX file"), ([1, 2, 3], .badFile, "wanted an NPY file"),
            ([0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255], .badFile, "too large"),
        ] {
            let path = try folder.write(content, "x")
            XCTAssertFails(code, path, part) { try TensorFile(path) }
        }
        let zipped = bundledDigits("test-images-idx3-ubyte.gz")
        XCTAssertFails(.unsupported, zipped, "gzipped") { try TensorFile(zipped) }
        XCTAssertFails(.ioError, folder.path, "regular file") { try TensorFile(folder.path) }
        XCTAssertFails(.ioError, "gone") { try TensorFile(folder.file("gone")) }
        XCTAssertFails(.ioError, "/dev/zero", "regular file") { try TensorFile("/dev/zero") }

        let path = folder.file("a.npy")
        try NPY.write(try tensor(.f32, [100, 50]), to: path)
        let file = try TensorFile(path)
        XCTAssertFails(.invalidArgument, "a.npy", "row 100 is outside 0..<100") { try file.rows([0, 100]) }
        XCTAssertFails(.badShape, "a.npy", "shape [49]") { try file.reshaped(row: [49]) }
        XCTAssertEqual(truncate(path, 10_000), 0)
        XCTAssertNoThrow(try file.rows([40]))
        XCTAssertFails(.badFile, "a.npy: ends before byte 19928, wanted the 20128 bytes") { try file.rows([40, 99]) }
    }

    func testDigitsInTheirFile() throws {
        let folder = try ScratchFolder(), images = folder.file("images"), labels = bundledDigits("test-labels-idx1-ubyte.gz")
        let zipped = bundledDigits("test-images-idx3-ubyte.gz")
        try IDX.write(try IDX.read(zipped), to: images)
        let found = try FileSamples.idx(images: images, labels: labels), wanted = try Dataset.idx(images: zipped, labels: labels)
        XCTAssertEqual(found.count, 360)
        XCTAssertEqual(found.inputFields, [SampleField("input", .u8, [8, 8, 1])])
        XCTAssertEqual(try found.rows([7, 359, 7]), try wanted.rows([7, 359, 7]))
        XCTAssertEqual(try found.targetRows([359]), try wanted.rows([359]).targets)
        func trained(_ data: any SampleSource) throws -> Trainer {
            let trainer = try SmallTraining.trainer()
            let network = try Sequential(input: [8, 8, 1], seed: 3) { Flatten(); Dense(10) }
            let other = try Trainer(
                network, loss: SparseCategoricalCrossEntropy(fromLogits: true), optimizer: trainer.optimizer, seed: 7, threads: 1)
            try other.fit(try data.scaled(by: 1 / 16), epochs: 2, validation: .split(0.2), augmentation: [.randomFlip])
            return other
        }
        XCTAssertEqual(try trained(found).copyStates(), try trained(wanted).copyStates())
        let few = try folder.write([0, 0, 8, 1, 0, 0, 0, 2, 1, 2], "few")
        XCTAssertFails(.badFile, few, "found 2 labels, wanted 360") { try FileSamples.idx(images: images, labels: few) }
    }

    func testArrays() throws {
        let folder = try ScratchFolder()
        func write(_ tensor: Tensor, _ name: String) throws -> String {
            try NPY.write(tensor, to: folder.file(name))
            return folder.file(name)
        }
        let x = try tensor(.f32, [5, 3]), inputs = try write(x, "x.npy")
        for (targets, wanted) in [
            (try tensor(.i64, [5]), try tensor(.i64, [5]).converted(to: .i32)),
            (try tensor(.f32, [5]), try tensor(.f32, [5]).reshaped([5, 1])),
            (try tensor(.f64, [5, 2]), try tensor(.f64, [5, 2]).converted(to: .f32)),
            (try tensor(.f32, [5, 2]), try tensor(.f32, [5, 2])),
        ] {
            let found = try FileSamples.npy(inputs: inputs, targets: try write(targets, "y.npy"))
            XCTAssertEqual(try found.rows([3, 1]), try Dataset(inputs: x, targets: wanted).rows([3, 1]))
        }
        let long = try write(try tensor(.f32, [6]), "long.npy")
        XCTAssertFails(.badShape, "\"target\" is f32 [6, 1], wanted 5 rows") {
            try FileSamples.npy(inputs: inputs, targets: long)
        }
        let pair = try TensorFile(inputs)
        XCTAssertFails(.invalidArgument, "a name comes twice") {
            try FileSamples(inputs: [.init("a", pair), .init("a", x)], targets: [])
        }
        XCTAssertFails(.badShape, "without an input") { try FileSamples(inputs: [], targets: [.init("a", x)]) }
    }

    // MARK: Pictures

    private func pictures(_ scratch: ScratchFolder) throws -> String {
        var random = Philox(seed: 2)
        for name in ["ant", "bee", "cat"] {
            for i in 0..<8 {
                let pixels = (0..<64).map { _ in UInt8(random.next32() % 250) }
                _ = try scratch.write([], "set/\(name)/x")
                try ImageFile.writePNG(Tensor(pixels, shape: [8, 8, 1]), to: scratch.file("set/\(name)/\(i).png"))
            }
        }
        return scratch.file("set")
    }

    func testAFolderTrainsAsItDoesInMemory() throws {
        let scratch = try ScratchFolder(), path = try pictures(scratch)
        let folder = try ImageFolder(path, height: 8, width: 8, channels: .gray)
        let whole = try Dataset.imageFolder(path, height: 8, width: 8, channels: .gray)
        XCTAssertEqual(folder.count, 24)
        XCTAssertEqual(folder.classNames, ["ant", "bee", "cat"])
        XCTAssertEqual(folder.inputFields, whole.inputFields)
        XCTAssertEqual(try folder.rows([23, 0]), try whole.rows([23, 0]))
        XCTAssertEqual(try folder.targetRows([23]), try whole.rows([23]).targets)
        let turned = ["cat", "bee", "ant"]
        XCTAssertEqual(try folder.numbered(by: turned).rows([20, 3]), try whole.renumbered(to: turned).rows([20, 3]))
        XCTAssertFails(.invalidArgument, "class 'cat', wanted one of ant, bee") { try folder.numbered(by: ["ant", "bee"]) }
        func trained(_ data: any SampleSource) throws -> Trainer {
            let trainer = try SmallTraining.trainer(batchSize: 5)
            try trainer.fit(
                data.scaled(by: 1 / 255), epochs: 2, validation: .split(0.25), augmentation: [.randomFlip])
            return trainer
        }
        let a = try trained(folder), b = try trained(whole)
        XCTAssertEqual(a.copyStates(), b.copyStates())
        for (x, y) in zip(a.progress.history, b.progress.history) { XCTAssertEqual("\(x.values)", "\(y.values)") }

        try FileManager.default.removeItem(atPath: "\(path)/bee/3.png")
        XCTAssertFails(.ioError, "bee/3.png") { try trained(folder) }
        _ = try scratch.write("broken", "set/bee/3.png")
        XCTAssertFails(.badFile, "bee/3.png", "wanted a PNG or JPEG file") { try trained(folder) }
    }

    /// `apus train` and `apus evaluate` measure on a folder what they do on the same pictures in an archive.
    func testTheToolReadsTheFolder() throws {
        let scratch = try ScratchFolder(), path = try pictures(scratch), archive = scratch.file("set.npz")
        let whole = try Dataset.imageFolder(path, height: 8, width: 8, channels: .gray)
        try NPZ.write([NamedTensor("x", whole.inputs[0].tensor), NamedTensor("y", whole.targets[0].tensor)], to: archive)
        func history(_ data: String) throws -> [[Double]] {
            let run = try CLIRun(
                "apus",
                [
                    "train", "--model", "mlp:8", "--data", data, "--epochs", "2", "--batch-size", "5", "--validation", "0.25",
                    "--augment", "flip", "--json", "--quiet", "--export", scratch.file("m.apus"),
                ])
            run.expectSuccess()
            let logs = try XCTUnwrap(JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]])
            return logs.compactMap { $0["values"] as? [Double] }
        }
        let found = try history("folder:\(path),size=8x8,gray")
        XCTAssertEqual(found.count, 2)
        XCTAssertEqual(
            try ApusRuntime.Model(path: scratch.file("m.apus")).graph.functions[0].outputs[0].labels, ["ant", "bee", "cat"])
        XCTAssertEqual(found, try history("npz:\(archive)"))
        func report(_ data: String) throws -> (values: [String: Double]?, confusion: [[Int]]?) {
            let json = try CLIRun("apus", ["evaluate", scratch.file("m.apus"), "--data", data, "--json", "--quiet"]).json()
            return (json["values"] as? [String: Double], json["confusion"] as? [[Int]])
        }
        let measured = try report("folder:\(path),size=8x8,gray"), wanted = try report("npz:\(archive)")
        XCTAssertEqual(measured.confusion?.joined().reduce(0, +), 24)
        XCTAssertEqual(measured.confusion, wanted.confusion)
        XCTAssertEqual(measured.values, wanted.values)
        _ = try scratch.write("broken", "set/bee/3.png")
        try CLIRun("apus", ["train", "--model", "mlp:8", "--data", "folder:\(path),size=8x8,gray", "--quiet"])
            .expectFailure(2, "bee/3.png: ", "wanted a PNG or JPEG file")
    }
}
