import Apus
import ApusGraph
import Foundation
import XCTest

@testable import ApusConvert

/// Any bytes give tensors or an error.
final class SafetensorsReaderTests: XCTestCase {
    private func file(_ header: String, data: Int = 0, length: UInt64? = nil) -> [UInt8] {
        let text = Array(header.utf8)
        let size = withUnsafeBytes(of: (length ?? UInt64(text.count)).littleEndian) { Array($0) }
        return size + text + (0..<data).map { UInt8(truncatingIfNeeded: $0) }
    }

    /// With spaces after it, so that the data are aligned.
    private func padded(_ header: String) -> String {
        header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    }

    private func read(_ bytes: [UInt8]) throws(ApusError) -> [String: SafetensorsTensor] {
        try SafetensorsReader.read(HeapStorage(bytes))
    }

    private func assertRefused(_ bytes: [UInt8], _ complaint: String, line: UInt = #line) {
        XCTAssertThrowsError(try read(bytes), line: line) { error in
            let message = (error as? ApusError)?.message ?? "\(error)"
            XCTAssertTrue(message.contains(complaint), message, line: line)
            XCTAssertFalse(message.contains("\n"), message, line: line)
        }
    }

    private func entry(_ dtype: String, _ shape: String, _ start: Int, _ end: Int) -> String {
        #"{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":[\#(start),\#(end)]}"#
    }

    private var small: String {
        #"{"__metadata__":{"format":"pt"},"a":\#(entry("F32", "[2,3]", 0, 24)),"b":\#(entry("BOOL", "[3]", 24, 27)),"#
            + #""none":\#(entry("F32", "[0,4]", 24, 24)),"small":\#(entry("F8_E4M3", "[5]", 27, 32)),"#
            + #""scalar":\#(entry("I64", "[]", 32, 40))}"#
    }

    // MARK: What is read

    func testTensorsAreReadInPlace() throws {
        let storage = HeapStorage(file(padded(small), data: 40))
        let tensors = try SafetensorsReader.read(storage)
        XCTAssertEqual(tensors.keys.sorted(), ["a", "b", "none", "scalar", "small"])
        let a = try XCTUnwrap(tensors["a"]?.constant)
        XCTAssertEqual(a.type, TensorType(.f32, [2, 3]))
        XCTAssertTrue(a.storage === storage)
        XCTAssertEqual(Array(a.bytes), (0..<24).map { UInt8($0) })
        XCTAssertEqual(try tensors["b"]?.constant?.elements(), [1, 1, 1])
        XCTAssertEqual(tensors["none"]?.constant?.type.byteSize, 0)
        XCTAssertEqual(tensors["scalar"]?.constant?.type, TensorType(.i64, []))
        XCTAssertNil(tensors["small"]?.constant)
        XCTAssertEqual(tensors["small"]?.elementType, "F8_E4M3")
    }

    func testUnalignedTensorsAreCopied() throws {
        let header = #"{"a":\#(entry("U8", "[1]", 0, 1)),"b":\#(entry("F32", "[1]", 1, 5))}"#
        let storage = HeapStorage(file(padded(header), data: 5))
        let b = try XCTUnwrap(try SafetensorsReader.read(storage)["b"]?.constant)
        XCTAssertFalse(b.storage === storage)
        XCTAssertEqual(Array(b.bytes), [1, 2, 3, 4])
    }

    // MARK: What is refused

    func testLengthsOfTheHeader() {
        assertRefused([], "0 bytes: not a safetensors file")
        assertRefused([1, 2, 3], "3 bytes")
        assertRefused(file("{}", length: 3), "a header of 3 bytes, wanted at most 2")
        assertRefused(file("{}", length: .max), "a header of 18446744073709551615 bytes")
        assertRefused(file("{}", length: 1 << 63), "a header of")
        assertRefused(file("", length: 0), "not valid JSON")
        let long = UInt64(SafetensorsReader.headerLimit + 1)
        assertRefused(file(String(repeating: " ", count: Int(long))), "wanted at most \(SafetensorsReader.headerLimit)")
    }

    func testHeadersThatAreNoHeaders() {
        for text in ["[]", "1", "{", "{\"a\":", #"{"a":1}"#, #"{"a":{}}"#, "\u{0}\u{0}", #"{"a":{"dtype":1}}"#] {
            XCTAssertThrowsError(try read(file(text)), text)
        }
        assertRefused(file(#"{"a":{"dtype":"F32","shape":[1]}}"#, data: 4), "'a.data_offsets': missing")
        assertRefused(file(#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, data: 4), "no integer of 64 bits")
        assertRefused(file(#"{"a":{"dtype":"F32","shape":[1e400],"data_offsets":[0,4]}}"#, data: 4), "not valid JSON")
        assertRefused(file(#"{"a":\#(entry("F32", "[99999999999999999999]", 0, 4))}"#, data: 4), "no integer of 64 bits")
    }

    func testDeepJSON() {
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            let text = String(repeating: open, count: 100_000) + "1" + String(repeating: close, count: 100_000)
            XCTAssertThrowsError(try read(file(text)))
            XCTAssertThrowsError(try read(file(#"{"__metadata__":"# + text + "}")))
        }
    }

    func testPlacesOfTensors() {
        func pair(_ a: (Int, Int), _ b: (Int, Int), data: Int) -> [UInt8] {
            file(#"{"a":\#(entry("U8", "[4]", a.0, a.1)),"b":\#(entry("U8", "[4]", b.0, b.1))}"#, data: data)
        }
        XCTAssertNoThrow(try read(pair((0, 4), (4, 8), data: 8)))
        XCTAssertNoThrow(try read(pair((4, 8), (0, 4), data: 8)))
        assertRefused(pair((0, 4), (2, 6), data: 6), "tensor 'b' begins at 2, wanted 4, where 'a' ends")
        assertRefused(pair((0, 4), (0, 4), data: 4), "begins at 0, wanted 4")
        assertRefused(pair((0, 4), (5, 9), data: 9), "tensor 'b' begins at 5, wanted 4")
        assertRefused(pair((1, 5), (5, 9), data: 9), "begins at 1, wanted 0, where the header ends")
        assertRefused(pair((0, 4), (4, 8), data: 9), "8 bytes of tensors, 9 in the file")
        assertRefused(pair((0, 4), (4, 8), data: 7), "8 bytes of tensors, 7 in the file")
        assertRefused(pair((0, 4), (8, 4), data: 8), "tensor 'b': data_offsets [8, 4]")
        assertRefused(pair((-4, 0), (0, 4), data: 4), "tensor 'a': data_offsets [-4, 0]")
        assertRefused(pair((0, 4), (4, Int.max), data: 8), "\(Int.max) bytes of tensors, 8 in the file")
        assertRefused(file(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}"#, data: 1), "data_offsets [0]")
    }

    func testShapesAndTypesOfTensors() {
        func one(_ dtype: String, _ shape: String, _ size: Int) -> [UInt8] {
            file(#"{"a":\#(entry(dtype, shape, 0, size))}"#, data: size)
        }
        assertRefused(one("F32", "[2]", 4), "tensor 'a': 4 bytes of data, wanted 8")
        assertRefused(one("F64", "[2]", 8), "tensor 'a': 8 bytes of data, wanted 16")
        assertRefused(one("U8", "[-1]", 4), "tensor 'a': shape [-1]")
        assertRefused(one("U8", "[4294967296,4294967296]", 0), "tensor 'a'")
        assertRefused(one("F32", "[2147483647,2147483647,2147483647]", 0), "too large")
        assertRefused(one("F32", "[0,9223372036854775807]", 0), "tensor 'a'")
        // Types and ranks that Apus lacks are no error until they are asked for.
        XCTAssertNil(try read(one("F8_E5M2", "[4]", 4))["a"]?.constant)
        XCTAssertNil(try read(one("no such type", "[4]", 4))["a"]?.constant)
        XCTAssertNil(try read(one("U8", "[1,1,1,1,1,1,1,1,1]", 1))["a"]?.constant)
    }

    func testEveryTruncationIsAnError() throws {
        let bytes = file(small, data: 40)
        XCTAssertNoThrow(try read(bytes))
        for length in 0..<bytes.count { XCTAssertThrowsError(try read(Array(bytes[..<length])), "\(length)") }
    }

    func testChangedBytesAreAnErrorOrTensors() {
        let bytes = file(small, data: 40)
        var random = Philox(seed: 7), refused = 0
        for _ in 0..<5000 {
            var broken = bytes
            for _ in 0...Int(random.next32() % 3) {
                broken[Int(random.next32()) % (bytes.count - 40)] = UInt8(truncatingIfNeeded: random.next32())
            }
            do {
                for tensor in try read(broken).values { XCTAssertEqual(tensor.constant?.bytes.count, tensor.constant?.type.byteSize) }
            } catch { refused += 1 }
        }
        XCTAssertGreaterThan(refused, 3000)
    }
}
