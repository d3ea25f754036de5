import ApusGraph
import XCTest

@testable import Apus

final class DataTensorTests: XCTestCase {
    func testHoldsScalarsInOrder() throws {
        let tensor = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
        XCTAssertEqual(tensor.dtype, .f32)
        XCTAssertEqual(tensor.byteCount, 24)
        XCTAssertEqual(tensor.rowCount, 2)
        XCTAssertEqual(try tensor.array(of: Float.self), [1, 2, 3, 4, 5, 6])
        tensor.withUnsafeBytes { XCTAssertEqual(Int(bitPattern: $0.baseAddress!) % 64, 0) }
        XCTAssertEqual(try Tensor([7 as Int64]).shape, [1])
        XCTAssertEqual(try Tensor([2.5], shape: []).count, 1)
        XCTAssertEqual(try Tensor([Float](), shape: [0, 5]).count, 0)
        XCTAssertEqual(try Tensor([true, false]).array(of: UInt8.self), [1, 0])
        XCTAssertEqual(try Tensor.zeros(.i4, shape: [3]).byteCount, 2)
    }

    func testRefusesWrongCountsAndShapes() {
        XCTAssertFails(.badShape, "5", "[2, 3]", "6") { try Tensor([1, 2, 3, 4, 5] as [Float], shape: [2, 3]) }
        XCTAssertFails(.badShape, "-1") { try Tensor.zeros(.f32, shape: [-1]) }
        XCTAssertFails(.badShape, "too large") { try Tensor.zeros(.f32, shape: [1 << 40, 1 << 40]) }
        XCTAssertFails(.badShape, "too large") { try Tensor.zeros(.f64, shape: [1 << 60]) }
        XCTAssertFails(.outOfMemory) {
            try Tensor(dtype: .f32, shape: [1 << 56]) { _ throws(ApusError) in }
        }
        XCTAssertFails(.badShape, "[2]", "[3]") { try Tensor([1, 2] as [Float]).reshaped([3]) }
        XCTAssertFails(.invalidArgument, "f32", "i32") { try Tensor([1, 2] as [Float]).array(of: Int32.self) }
        XCTAssertFails(.badShape, "3 bytes", "8") {
            try [1, 2, 3].withUnsafeBytes { bytes throws(ApusError) in
                try Tensor(copying: UnsafeRawBufferPointer(rebasing: bytes[..<3]), dtype: .f32, shape: [2])
            }
        }
    }

    func testCopiesOnlyOnWrite() throws {
        let original = try Tensor([1, 2, 3] as [Float])
        var copy = try original.reshaped([3, 1])
        let before = copy.withUnsafeBytes { $0.baseAddress }
        XCTAssertEqual(before, original.withUnsafeBytes { $0.baseAddress })
        try copy.withUnsafeMutableScalars(of: Float.self) { $0[1] = 9 }
        XCTAssertEqual(try original.array(of: Float.self), [1, 2, 3])
        XCTAssertEqual(try copy.array(of: Float.self), [1, 9, 3])
        let own = copy.withUnsafeBytes { $0.baseAddress }
        try copy.withUnsafeMutableScalars(of: Float.self) { $0[0] = 8 }
        XCTAssertEqual(own, copy.withUnsafeBytes { $0.baseAddress })
    }

    func testEqualityIsOfTypeShapeAndBytes() throws {
        let nan = try Tensor([Float.nan, 0])
        XCTAssertEqual(nan, try Tensor([Float.nan, 0]))
        XCTAssertNotEqual(nan, try Tensor([Float.nan, -0.0]))
        XCTAssertNotEqual(nan, try nan.reshaped([2, 1]))
        XCTAssertNotEqual(try Tensor([0 as Float]), try Tensor([0 as Int32]))
        XCTAssertEqual(try Tensor([Float](), shape: [0]), try Tensor([Float](), shape: [0]))
    }

    func testGathersRows() throws {
        let tensor = try Tensor([1, 2, 3, 4, 5, 6] as [Int32], shape: [3, 2])
        XCTAssertEqual(try tensor.rows([2, 0, 2]), try Tensor([5, 6, 1, 2, 5, 6] as [Int32], shape: [3, 2]))
        XCTAssertEqual(try tensor.rows(1..<3), try Tensor([3, 4, 5, 6] as [Int32], shape: [2, 2]))
        XCTAssertEqual(try tensor.rows(3..<3).shape, [0, 2])
        XCTAssertEqual(try Tensor.zeros(.f32, shape: [4, 0]).rows([3, 1]).shape, [2, 0])
        XCTAssertFails(.invalidArgument, "3", "0..<3") { try tensor.rows([0, 3]) }
        XCTAssertFails(.invalidArgument, "-1") { try tensor.rows([-1]) }
        XCTAssertFails(.invalidArgument, "2..<4") { try tensor.rows(2..<4) }
        XCTAssertFails(.badShape, "scalar") { try Tensor([1.0], shape: []).rows([0]) }
        XCTAssertFails(.unsupported, "i4") { try Tensor.zeros(.i4, shape: [2, 3]).rows([0]) }
        XCTAssertEqual(try Tensor.zeros(.i4, shape: [2, 4]).rows([0]).byteCount, 2)
    }

    func testConcatenatesRows() throws {
        let a = try Tensor([1, 2] as [UInt8], shape: [1, 2])
        let b = try Tensor([3, 4, 5, 6] as [UInt8], shape: [2, 2])
        XCTAssertEqual(
            try Tensor.concatenated([a, try a.rows(0..<0), b]),
            try Tensor([1, 2, 3, 4, 5, 6] as [UInt8], shape: [3, 2]))
        XCTAssertFails(.badShape, "u8 [1, 2]", "u8 [2]") { try Tensor.concatenated([a, Tensor([1, 2] as [UInt8])]) }
        XCTAssertFails(.badShape, "f32") { try Tensor.concatenated([a, Tensor.zeros(.f32, shape: [1, 2])]) }
        XCTAssertFails(.invalidArgument) { try Tensor.concatenated([]) }
    }

    func testConversionIsNearestAndSaturates() throws {
        let values = try Tensor([-300, -1.9, -0.0, 0.5, 1.9, 300, .nan, .infinity] as [Double])
        XCTAssertEqual(try values.converted(to: .i8).array(of: Int8.self), [-128, -1, 0, 0, 1, 127, 0, 127])
        XCTAssertEqual(try values.converted(to: .u8).array(of: UInt8.self), [0, 0, 0, 0, 1, 255, 0, 255])
        XCTAssertEqual(try values.converted(to: .bool).array(of: UInt8.self), [1, 1, 0, 1, 1, 1, 1, 1])
        XCTAssertEqual(
            try Tensor([Int64.max, .min, 5]).converted(to: .i32).array(of: Int32.self), [.max, .min, 5])
        XCTAssertEqual(try Tensor([1e300]).converted(to: .i64).array(of: Int64.self), [.max])
        XCTAssertFails(.unsupported, "u4") { try values.converted(to: .u4) }
    }

    /// The bit patterns are those of the formats: bf16 keeps 8 bits of significand, ties to even.
    func testHalfPrecisionRoundsToNearestEven() throws {
        let values = try Tensor([1, 1.00390625, 1.01171875, -2, 1e39, .nan] as [Double])
        let brain = try values.converted(to: .bf16)
        let patterns = brain.withUnsafeBytes { Array($0.bindMemory(to: UInt16.self)) }
        XCTAssertEqual(Array(patterns[..<5]), [0x3F80, 0x3F80, 0x3F82, 0xC000, 0x7F80])
        XCTAssertTrue(try brain.doubles()[5].isNaN)
        XCTAssertEqual(try Array(brain.doubles()[..<4]), [1, 1, 1.015625, -2])
        XCTAssertEqual(
            try Tensor([1, 65504, 1e6] as [Float]).converted(to: .f16).array(of: Float16.self), [1, 65504, .infinity])
    }
}
