import ApusGraph
import XCTest

@testable import Apus

final class DataFormatTests: XCTestCase {
    // MARK: IDX

    func testReadsBigEndianIDX() throws {
        let scratch = try ScratchFolder()
        let path = try scratch.write([0, 0, 0x0B, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 0xFF, 0xFE], "a.idx")
        XCTAssertEqual(try IDX.read(path), try Tensor([258, -2] as [Int16], shape: [1, 2]))
    }

    func testIDXRoundTripsEveryType() throws {
        let scratch = try ScratchFolder()
        for dtype in [DType.u8, .i8, .i16, .i32, .f32, .f64] {
            let tensor = try Tensor([0, 1, 2, 100, 5, 6] as [Double], shape: [3, 2]).converted(to: dtype)
            for name in ["t.idx", "t.idx.gz"] {
                try IDX.write(tensor, to: scratch.file(name))
                XCTAssertEqual(try IDX.read(scratch.file(name)), tensor, "\(dtype)")
            }
        }
        XCTAssertFails(.unsupported, "i64") { try IDX.write(.zeros(.i64, shape: [1]), to: scratch.file("x")) }
    }

    func testIDXErrorsNameTheFile() throws {
        let scratch = try ScratchFolder()
        XCTAssertFails(.ioError, "/nothing.idx", "No such file") { try IDX.read(scratch.file("nothing.idx")) }
        XCTAssertFails(.ioError, scratch.path, "regular file") { try IDX.read(scratch.path) }
        XCTAssertFails(.badFile, "empty.idx", "magic") { try IDX.read(scratch.write("", "empty.idx")) }
        XCTAssertFails(.badFile, "p.idx", "wanted an IDX file") {
            try IDX.read(scratch.write(DataFixtures.pngRGB, "p.idx"))
        }
        XCTAssertFails(.badFile, "found 3 bytes", "wanted 4") {
            try IDX.read(scratch.write([0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 3], "short.idx"))
        }
        XCTAssertFails(.badFile, "big.idx", "too large") {
            try IDX.read(scratch.write([0, 0, 14, 2] + [UInt8](repeating: 255, count: 8), "big.idx"))
        }
        let images = try scratch.write([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 7, 8], "images")
        let labels = try scratch.write([0, 0, 8, 1, 0, 0, 0, 2, 1, 2], "labels")
        XCTAssertFails(.badFile, "labels", "found 2 labels", "wanted 1") {
            try Dataset.idx(images: images, labels: labels)
        }
    }

    func testBundledDigitsAreWhole() throws {
        for (name, count, classes, sum) in [
            ("train", 1437, [139, 145, 130, 155, 139, 150, 144, 152, 144, 139], 449_461),
            ("test", 360, [39, 37, 47, 28, 42, 32, 37, 27, 30, 41], 112_257),
        ] {
            let digits = try Dataset.idx(
                images: bundledDigits("\(name)-images-idx3-ubyte.gz"),
                labels: bundledDigits("\(name)-labels-idx1-ubyte.gz"))
            XCTAssertEqual(digits.inputs[0].tensor.shape, [count, 8, 8, 1])
            let labels = try digits.targets[0].tensor.array(of: Int32.self)
            XCTAssertEqual((0..<10).map { label in labels.count { $0 == label } }, classes)
            let pixels = try digits.inputs[0].tensor.array(of: UInt8.self)
            XCTAssertEqual(pixels.reduce(0) { $0 + Int($1) }, sum)
            XCTAssertEqual(pixels.max(), 16)
        }
    }

    // MARK: CIFAR-10

    func testCIFARPlanesBecomePixels() throws {
        let scratch = try ScratchFolder()
        let record = [9] + [UInt8](repeating: 1, count: 1024) + [UInt8](repeating: 2, count: 1024)
            + [UInt8](repeating: 3, count: 1023) + [77]
        let path = try scratch.write(record + record, "batch.bin")
        let planes = try CIFAR10.read([path])
        XCTAssertEqual(planes.inputs[0].tensor.shape, [2, 32, 32, 3])
        let pixels = try planes.inputs[0].tensor.array(of: UInt8.self)
        XCTAssertEqual(Array(pixels[..<6]), [1, 2, 3, 1, 2, 3])
        XCTAssertEqual(Array(pixels[3069..<3072]), [1, 2, 77])
        XCTAssertEqual(try planes.targets[0].tensor.array(of: Int32.self), [9, 9])
        let flat = try CIFAR10.read([path, path], layout: .channelsLast)
        XCTAssertEqual(flat.count, 4)
        XCTAssertEqual(try Array(flat.inputs[0].tensor.array(of: UInt8.self)[..<3]), [1, 1, 1])
        XCTAssertFails(.badFile, "batch", "3074", "3073") { try CIFAR10.read([scratch.write(record + [0], "batch")]) }
        XCTAssertFails(.badFile, "record 1", "label 10") {
            try CIFAR10.read([scratch.write(record + [10] + record.dropFirst(), "b")])
        }
    }

    // MARK: CSV

    func testCSVReadsQuotesAndClasses() throws {
        let scratch = try ScratchFolder()
        let path = try scratch.write(
            "\u{FEFF}id,width,\"the \"\"kind\"\"\",height\r\n1,1.5,\"b, or\nc\",2\r\n\r\n"
                + "2, -3e2 ,a,\"4\"\r\n3,0,a,1",
            "t.csv")
        let table = try Dataset.csv(path, label: "the \"kind\"", ignoring: ["id"])
        XCTAssertEqual(
            table.inputs[0].tensor, try Tensor([1.5, 2, -300, 4, 0, 1] as [Float], shape: [3, 2]))
        XCTAssertEqual(table.classNames, ["a", "b, or\nc"])
        XCTAssertEqual(try table.targets[0].tensor.array(of: Int32.self), [1, 0, 0])
        XCTAssertEqual(
            try Dataset.csv(path, label: 2, labels: .categorical(classNames: ["b, or\nc", "a"]), ignoring: [0])
                .targets[0].tensor.array(of: Int32.self), [0, 1, 1])
    }

    func testCSVWithoutHeaderAndWithNumbers() throws {
        let scratch = try ScratchFolder()
        let path = try scratch.write("1;2;10\n3;4;9\n", "t.csv")
        let numeric = try Dataset.csv(path, header: false, separator: ";", labels: .numeric)
        XCTAssertEqual(numeric.targets[0].tensor, try Tensor([10, 9] as [Float], shape: [2, 1]))
        XCTAssertEqual(numeric.inputs[0].tensor, try Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]))
        XCTAssertEqual(try Dataset.csv(path, header: false, separator: ";").classNames, ["9", "10"])
    }

    func testCSVWeightsSamples() throws {
        let scratch = try ScratchFolder()
        let path = try scratch.write("a,share,class\n1,0.5,x\n2,0,y\n", "t.csv")
        let table = try Dataset.csv(path, weight: "share")
        XCTAssertEqual(table.inputs[0].tensor, try Tensor([1, 2] as [Float], shape: [2, 1]))
        XCTAssertEqual(table.weights, try Tensor([0.5, 0] as [Float]))
        XCTAssertEqual(try Dataset.csv(path, labels: .categorical(), weight: 1).weights, table.weights)
        XCTAssertFails(.badFile, "column \"class\" is both label and weight") { try Dataset.csv(path, weight: -1) }
        XCTAssertFails(.badFile, "t.csv:3", "\"share\" is \"-1\", wanted a finite number of 0 or more") {
            try Dataset.csv(scratch.write("a,share,class\n1,0.5,x\n2,-1,y\n", "t.csv"), weight: "share")
        }
    }

    func testCSVErrorsNameTheLine() throws {
        let scratch = try ScratchFolder()
        func read(_ text: String, label: CSVColumn = -1) throws -> Dataset {
            try Dataset.csv(scratch.write(text, "t.csv"), label: label)
        }
        XCTAssertFails(.badFile, "t.csv:3", "found 2 fields", "wanted 3") { try read("a,b,c\n1,2,x\n1,2\n") }
        XCTAssertFails(.badFile, "t.csv:2", "\"b\"", "\"?\"", "finite number") { try read("a,b,c\n1,?,x\n") }
        XCTAssertFails(.badFile, "t.csv:2", "\"\"") { try read("a,b,c\n1,,x\n") }
        XCTAssertFails(.badFile, "t.csv:2", "nan") { try read("a,b,c\n1,nan,x\n") }
        XCTAssertFails(.badFile, "t.csv:2", "1e99") { try read("a,b,c\n1,1e99,x\n") }
        XCTAssertFails(.badFile, "t.csv:2", "does not end") { try read("a,b,c\n1,2,\"x\n") }
        XCTAssertFails(.badFile, "t.csv:2", "closing quote") { try read("a,b,c\n1,\"2\"3,x\n") }
        XCTAssertFails(.badFile, "\"d\"", "a") { try read("a,b,c\n1,2,x\n", label: "d") }
        XCTAssertFails(.badFile, "3 columns") { try read("a,b,c\n1,2,x\n", label: 3) }
        XCTAssertFails(.badFile, "no rows") { try read("a,b,c\n") }
        XCTAssertFails(.badFile, "empty") { try read("") }
        XCTAssertFails(.badFile, "t.csv:2", "\"x\"", "y") {
            try Dataset.csv(scratch.write("a,c\n1,x", "t.csv"), labels: .categorical(classNames: ["y"]))
        }
    }

    // MARK: real data

    func testMNISTIsWhole() throws {
        let test = try Dataset.idx(
            images: sharedData("mnist/t10k-images-idx3-ubyte.gz"),
            labels: sharedData("mnist/t10k-labels-idx1-ubyte.gz"))
        XCTAssertEqual(test.inputs[0].tensor.shape, [2000, 28, 28, 1])
        XCTAssertEqual(Set(try test.targets[0].tensor.array(of: Int32.self)), Set(0...9))
    }

    /// The channel means were computed with NumPy.
    func testCIFARIsWhole() throws {
        let test = try CIFAR10.read([sharedData("cifar10/test_batch.bin.gz")])
        XCTAssertEqual(test.inputs[0].tensor.shape, [2000, 32, 32, 3])
        let labels = try test.targets[0].tensor.array(of: Int32.self)
        XCTAssertEqual((0..<10).map { label in labels.count { $0 == label } }, Array(repeating: 200, count: 10))
        let mean = try test.rows(0..<2000).normalization().mean
        let wanted: [Float] = [125.29724072, 123.61490381, 114.86688135]
        for (a, b) in zip(mean, wanted) { XCTAssertEqual(a, b, accuracy: 1e-4) }
        let first = try test.inputs[0].tensor.rows([0]).array(of: UInt8.self)
        XCTAssertEqual((0..<11).map { first[3 * $0] }, [163, 164, 152, 162, 148, 157, 165, 180, 189, 182, 170])
    }
}
