import ApusGraph
import XCTest

@testable import Apus

final class DataAugmentationTests: XCTestCase {
    private static let height = 4
    private static let width = 5

    /// Pictures whose pixel (y, x) has the channels (10 y + x + 1, 100 + 10 y + x).
    private func pictures(_ count: Int, _ dtype: DType = .f32) throws -> Dataset {
        let one = (0..<Self.height * Self.width).flatMap { (index: Int) -> [Double] in
            let (y, x) = index.quotientAndRemainder(dividingBy: Self.width)
            return [Double(10 * y + x + 1), Double(100 + 10 * y + x)]
        }
        let all = try Tensor(
            Array(repeatElement(one, count: count).joined()), shape: [count, Self.height, Self.width, 2])
        return try Dataset(inputs: all.converted(to: dtype), targets: .zeros(.i32, shape: [count]))
    }

    private typealias Picture = [[[Double]]]

    private func augmented(_ count: Int, _ steps: [Augmentation], _ dtype: DType = .f32) throws -> [Picture] {
        let batch = try pictures(count, dtype).batches(size: count, shuffleSeed: nil, augmentation: steps).batch(at: 0)
        XCTAssertEqual(batch.inputs[0].tensor.dtype, dtype)
        let values = try batch.inputs[0].tensor.doubles()
        return (0..<count).map { n in
            (0..<Self.height).map { y in
                (0..<Self.width).map { x in
                    let at = ((n * Self.height + y) * Self.width + x) * 2
                    return [values[at], values[at + 1]]
                }
            }
        }
    }

    private func original() throws -> Picture { try augmented(1, [])[0] }

    private func shifted(_ picture: Picture, down: Int, right: Int, edges: Bool) -> Picture {
        (0..<Self.height).map { y in
            (0..<Self.width).map { x in
                let from = (y - down, x - right)
                if edges {
                    return picture[min(max(from.0, 0), Self.height - 1)][min(max(from.1, 0), Self.width - 1)]
                }
                let inside = picture.indices.contains(from.0) && (0..<Self.width).contains(from.1)
                return inside ? picture[from.0][from.1] : [0, 0]
            }
        }
    }

    func testFlipsHalfOfThePictures() throws {
        let plain = try original()
        for dtype in [DType.f32, .u8] {
            let flipped = try augmented(400, [.randomFlip], dtype)
            let mirrored = flipped.count { $0 == plain.map { Array($0.reversed()) } }
            XCTAssertEqual(flipped.count { $0 == plain } + mirrored, 400)
            XCTAssertTrue(150...250 ~= mirrored, "\(mirrored)")
            let upturned = try augmented(400, [.randomVerticalFlip], dtype).count { $0 == plain.reversed() }
            XCTAssertTrue(150...250 ~= upturned, "\(upturned)")
        }
    }

    func testCropTakesEveryPlaceAndPadsWithZero() throws {
        let plain = try original()
        let places = (-2...2).flatMap { down in (-2...2).map { (down, $0) } }
        let wanted = places.map { shifted(plain, down: $0.0, right: $0.1, edges: false) }
        for dtype in [DType.f32, .u8] {
            let found = try augmented(500, [.randomCrop(padding: 2)], dtype)
            XCTAssertTrue(found.allSatisfy(wanted.contains))
            XCTAssertTrue(wanted.allSatisfy(found.contains))
        }
        let far = try augmented(300, [.randomCrop(padding: 9)])
        XCTAssertTrue(far.contains { $0.joined().joined().allSatisfy { $0 == 0 } })
    }

    func testShiftRepeatsTheEdges() throws {
        let plain = try original()
        let places = (-2...2).flatMap { down in (-3...3).map { (down, $0) } }
        let wanted = places.map { shifted(plain, down: $0.0, right: $0.1, edges: true) }
        let found = try augmented(800, [.randomShift(fraction: 0.6)])
        XCTAssertTrue(found.allSatisfy(wanted.contains))
        XCTAssertTrue(wanted.allSatisfy(found.contains))
        XCTAssertTrue(try augmented(9, [.randomShift(fraction: 0.1)]).allSatisfy { $0 == plain })
    }

    func testRotation() throws {
        let augmenter = Augmenter<Float>(steps: [], seed: 0, epoch: 0, height: 3, width: 3, channels: 1)
        func rotated(_ picture: [Float], _ angle: Double) -> [Float] {
            var result = picture
            var scratch = picture
            result.withUnsafeMutableBufferPointer { result in
                scratch.withUnsafeMutableBufferPointer { scratch in
                    augmenter.rotate(result.baseAddress!, by: angle, scratch.baseAddress!)
                }
            }
            return result
        }
        let picture: [Float] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
        XCTAssertEqual(rotated(picture, 0), picture)
        let quarter: [Float] = [3, 6, 9, 2, 5, 8, 1, 4, 7]
        for (a, b) in zip(rotated(picture, .pi / 2), quarter) { XCTAssertEqual(a, b, accuracy: 1e-4) }
        let eighth = rotated([0, 0, 0, 0, 8, 0, 0, 0, 0], .pi / 4)
        XCTAssertEqual(eighth[4], 8)
        // The upper middle is sampled √½ to the right of the centre and √½ above it.
        let near = Float(1 - 0.5.squareRoot())
        XCTAssertEqual(eighth[1], 8 * near * near, accuracy: 1e-4)
        XCTAssertEqual(eighth[0], 0)
        let turned = try augmented(50, [.randomRotate(degrees: 30)])
        XCTAssertGreaterThan(Set(turned).count, 40)
        let plain = try original()
        XCTAssertTrue(try augmented(5, [.randomRotate(degrees: 0)], .u8).allSatisfy { $0 == plain })
    }

    func testCutoutClearsASquare() throws {
        let plain = try original()
        var areas: Set<Int> = []
        for picture in try augmented(300, [.cutout(size: 2)]) {
            var cleared: [(Int, Int)] = []
            for y in 0..<Self.height {
                for x in 0..<Self.width where picture[y][x] != plain[y][x] {
                    XCTAssertEqual(picture[y][x], [0, 0])
                    cleared.append((y, x))
                }
            }
            let rows = Set(cleared.map(\.0)), columns = Set(cleared.map(\.1))
            XCTAssertEqual(cleared.count, rows.count * columns.count)
            XCTAssertTrue(rows.count <= 2 && columns.count <= 2)
            areas.insert(cleared.count)
        }
        XCTAssertEqual(areas, [1, 2, 4])
        XCTAssertTrue(try augmented(3, [.cutout(size: 100)]).allSatisfy { $0.joined().joined().allSatisfy { $0 == 0 } })
    }

    /// A sample's picture does not depend on how it came into its batch.
    func testDrawsAreAFunctionOfSeedEpochAndSample() throws {
        let steps: [Augmentation] = [.randomFlip, .randomCrop(padding: 2), .randomRotate(degrees: 10), .cutout(size: 2)]
        func bySample(size: Int, seed: UInt64, epoch: Int, start: Int = 0) throws -> [Int: Tensor] {
            var result: [Int: Tensor] = [:]
            for batch in try pictures(40).batches(
                size: size, shuffleSeed: seed, epoch: epoch, augmentation: steps, startingAt: start) {
                for (row, index) in batch.indices.enumerated() {
                    result[index] = try batch.inputs[0].tensor.rows([row])
                }
            }
            return result
        }
        let reference = try bySample(size: 7, seed: 3, epoch: 1)
        XCTAssertEqual(try bySample(size: 40, seed: 3, epoch: 1), reference)
        for (index, tensor) in try bySample(size: 7, seed: 3, epoch: 1, start: 3) {
            XCTAssertEqual(tensor, reference[index])
        }
        XCTAssertNotEqual(try bySample(size: 7, seed: 3, epoch: 2), reference)
        XCTAssertNotEqual(try bySample(size: 7, seed: 4, epoch: 1), reference)
    }

    func testRefusesWhatItCannotChange() throws {
        let table = try Dataset(inputs: .zeros(.f32, shape: [2, 3]), targets: .zeros(.i32, shape: [2]))
        XCTAssertFails(.badShape, "[N, H, W, C]", "f32 [2, 3]") {
            try table.batches(size: 1, augmentation: [.randomFlip])
        }
        let data = try pictures(2)
        for step in [Augmentation.randomCrop(padding: -1), .randomShift(fraction: .nan), .randomRotate(degrees: 181),
            .cutout(size: 0)] {
            XCTAssertFails(.invalidArgument) { try data.batches(size: 1, augmentation: [step]) }
        }
    }
}
