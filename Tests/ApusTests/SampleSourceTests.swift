import ApusGraph
import Foundation
import XCTest

@testable import Apus

/// Samples that are read when they are needed train, evaluate and predict as the same ones in memory.
final class SampleSourceTests: XCTestCase {
    /// A source of one's own: hands out the rows of a dataset, and fails once where it is told to.
    private final class Reading: SampleSource, @unchecked Sendable {
        let data: Dataset
        private let lock = NSLock()
        private var failing: Int?
        private var largest = 0

        init(_ data: Dataset, failingAt sample: Int? = nil) {
            self.data = data
            failing = sample
        }

        var count: Int { data.count }
        var inputFields: [SampleField] { data.inputFields }
        var targetFields: [SampleField] { data.targetFields }
        var classNames: [String] { data.classNames }
        var mostRowsAtOnce: Int { lock.withLock { largest } }

        func rows(_ indices: [Int]) throws(ApusError) -> Dataset {
            let fails = lock.withLock {
                largest = max(largest, indices.count)
                guard let sample = failing, indices.contains(sample) else { return false }
                failing = nil
                return true
            }
            if fails { throw .file("clip.wav: broken") }
            return try data.rows(indices)
        }
    }

    private let augmentation: [Augmentation] = [.randomShift(fraction: 0.2), .cutout(size: 2)]

    /// An AUROC of no pair is NaN.
    private func values(_ trainer: Trainer) -> [[String]] { trainer.progress.history.map { $0.values.map { "\($0)" } } }

    private func assertSame(_ a: Trainer, _ b: Trainer, _ what: String = "", line: UInt = #line) {
        XCTAssertEqual(a.copyStates(), b.copyStates(), what, line: line)
        XCTAssertEqual(a.progress.history.map(\.names), b.progress.history.map(\.names), what, line: line)
        XCTAssertEqual(values(a), values(b), what, line: line)
    }

    // MARK: Training

    func testFitsEvaluatesAndPredictsTheSameBytes() throws {
        let data = try SmallTraining.quarters(56), other = try SmallTraining.quarters(20, seed: 4)
        let source = Reading(data)
        for (inMemory, read) in [
            (Validation.none, Validation.none), (.split(0.25), .split(0.25)), (.data(other), .data(Reading(other))),
        ] {
            let a = try SmallTraining.trainer(), b = try SmallTraining.trainer(threads: 2)
            try a.fit(data, epochs: 2, validation: inMemory, augmentation: augmentation)
            try b.fit(source, epochs: 2, validation: read, augmentation: augmentation)
            assertSame(a, b)
            let loss = SparseCategoricalCrossEntropy(fromLogits: true)
            let wanted = try a.network.evaluate(other, losses: [loss], metrics: [Accuracy()])
            let found = try b.network.evaluate(Reading(other), losses: [loss], metrics: [Accuracy()])
            XCTAssertEqual(found.values, wanted.values)
            XCTAssertEqual(
                try b.network.predict(Reading(other), batchSize: 7), [try a.network.predict(other.inputs[0].tensor)])
        }
        XCTAssertEqual(source.mostRowsAtOnce, 16, "a batch at a time")
        let network = try SmallTraining.network(), none = try data.rows([])
        XCTAssertEqual(try network.predict(Reading(none))[0].shape, [0, 4])
    }

    /// Interrupted after any batch and resumed.
    func testResumesBitForBit() throws {
        let data = try SmallTraining.quarters(56), folder = try ScratchFolder()
        let whole = try SmallTraining.trainer()
        try whole.fit(data, epochs: 3, validation: .split(0.25), augmentation: augmentation)
        for cut in 2...whole.progress.step {
            let path = folder.file("\(cut).apus")
            XCTAssertThrowsError(
                try SmallTraining.trainer().fit(
                    Reading(data), epochs: 3, validation: .split(0.25), augmentation: augmentation,
                    callbacks: [Interruption(afterStep: cut)], checkpoint: CheckpointPolicy(path, everyBatches: 1)))
            let resumed = try SmallTraining.trainer()
            try resumed.restore(path)
            try resumed.fit(Reading(data), epochs: 3, validation: .split(0.25), augmentation: augmentation)
            assertSame(resumed, whole, "from step \(cut - 1)")
        }
    }

    /// What cannot be read ends the fit with its error; another fit goes on from there.
    func testErrorsLoseNothing() throws {
        let data = try SmallTraining.quarters(56), whole = try SmallTraining.trainer()
        try whole.fit(data, epochs: 2)
        for sample in [0, 17, 55] {
            let trainer = try SmallTraining.trainer(), source = Reading(data, failingAt: sample)
            XCTAssertEqual(message { try trainer.fit(source, epochs: 2) }, "clip.wav: broken")
            XCTAssertLessThan(trainer.progress.step, whole.progress.step)
            try trainer.fit(source, epochs: 2)
            assertSame(trainer, whole, "sample \(sample)")
            XCTAssertEqual(
                message { _ = try trainer.network.evaluate(Reading(data, failingAt: sample), metrics: [Accuracy()]) },
                "clip.wav: broken")
            XCTAssertEqual(message { _ = try trainer.network.predict(Reading(data, failingAt: sample)) }, "clip.wav: broken")
        }
    }

    func testWindows() throws {
        var random = Philox(seed: 3)
        func tensor(_ width: Int) throws -> Tensor {
            try Tensor((0..<6 * 12 * width).map { _ in Float(random.normal()) }, shape: [6, 12, width])
        }
        let data = try Dataset(inputs: tensor(3), targets: tensor(2))
        func trainer() throws -> Trainer {
            let network = try Sequential(input: [4, 3], seed: 5) { GRU(5, returnSequences: true); Dense(2) }
            return try Trainer(network, loss: MSE(), optimizer: SGD(), batchSize: 2, threads: 1, window: 4)
        }
        let a = try trainer(), b = try trainer()
        try a.fit(data, epochs: 2, callbacks: [NaNStop()])
        try b.fit(Reading(data), epochs: 2, callbacks: [NaNStop()])
        assertSame(a, b)
        XCTAssertTrue(
            message { try b.fit(Reading(data), epochs: 3, validation: .data(Reading(data))) }
                .contains("validation on 'input' f32 [6, 12, 3], wanted sequences of the window's 4"))
    }

    // MARK: Parts and changes

    func testPartsAndChanges() throws {
        let data = try SmallTraining.quarters(20), source = Reading(data)
        let split = try source.split(validation: 0.3, seed: 9), wanted = try data.split(validation: 0.3, seed: 9)
        XCTAssertEqual(try split.training.rows(Array(0..<14)), wanted.training)
        XCTAssertEqual(try split.validation.rows(Array(0..<6)), wanted.validation)
        XCTAssertEqual(try split.validation.targetRows([1]), try wanted.validation.rows([1]).targets)
        let scaled = try source.part([3, 3, 0]).scaled(by: 0.5)
        XCTAssertEqual(try scaled.rows([2, 0]), try data.rows([0, 3]).scaled(by: 0.5))
        XCTAssertEqual(scaled.inputFields, [SampleField("input", .f32, [8, 8, 1])])
        let hot = try source.mapped { rows throws(ApusError) in try rows.oneHot(classes: 4) }
        XCTAssertEqual(hot.targetFields, [SampleField("target", .f32, [4])])
        XCTAssertEqual(try hot.rows([5, 6]), try data.rows([5, 6]).oneHot(classes: 4))
        let normalization = try Normalization(of: source, scale: 0.7)
        XCTAssertEqual(normalization, try data.normalization(scale: 0.7))
        XCTAssertFails(.invalidArgument, "sample 20 is outside 0..<20") { try source.part([1, 20]) }
        XCTAssertFails(.invalidArgument, "sample -1 is outside 0..<3") { try scaled.rows([0, -1]) }
        XCTAssertFails(.invalidArgument, "cannot hold back 0.0 of 20 samples") { try source.split(validation: 0, seed: 1) }
    }

    /// Classes go by their names, whoever reads the samples.
    func testRenumbersClasses() throws {
        let names = ["a", "b", "c", "d"], turned = ["d", "c", "b", "a"]
        func named(_ data: Dataset, _ names: [String]) throws -> Dataset {
            try Dataset(inputs: data.inputs, targets: data.targets, classNames: names)
        }
        let data = try named(try SmallTraining.quarters(60), names)
        let wanted = try data.renumbered(to: turned)
        for source in try [data, Reading(data), Reading(data).part(Array(0..<60))] as [any SampleSource] {
            let found = try source.numbered(by: turned)
            XCTAssertEqual(found.classNames, turned)
            XCTAssertEqual(try found.rows(Array(0..<60)), wanted)
        }
        let a = try SmallTraining.trainer(), b = try SmallTraining.trainer()
        try a.fit(data, epochs: 1, validation: .data(named(wanted, turned)))
        try b.fit(Reading(data), epochs: 1, validation: .data(Reading(wanted)))
        assertSame(a, b)
        let strange = Reading(try named(try SmallTraining.quarters(60), ["a", "b", "c", "e"]))
        XCTAssertEqual(
            message { try b.fit(Reading(data), epochs: 2, validation: .data(strange)) }, "class 'e', wanted one of a, b, c, d")
    }

    func testRefusesOtherRowsThanItSaid() throws {
        struct Wrong: SampleSource {
            let gives: Dataset
            var count: Int { 4 }
            let inputFields = [SampleField("input", .f32, [8, 8, 1])], targetFields = [SampleField("target", .i32, [])]
            func rows(_ indices: [Int]) throws(ApusError) -> Dataset { gives }
        }
        let trainer = try SmallTraining.trainer()
        XCTAssertEqual(
            message { try trainer.fit(Wrong(gives: SmallTraining.quarters(3)), epochs: 1) },
            "a source gave \"input\" f32 [3, 8, 8, 1] for 4 samples, wanted \"input\" f32 [4, 8, 8, 1]")
        let bare = try Dataset(inputs: SmallTraining.quarters(4).inputs, targets: [])
        XCTAssertEqual(
            message { try trainer.fit(Wrong(gives: bare), epochs: 1) }, "a source gave 0 targets, wanted 1")
    }

    // MARK: Memory

    /// 2 GB of samples are trained on, validated and predicted in a small part of that.
    func testMoreSamplesThanMemoryShouldHold() throws {
        struct Made: SampleSource {
            let count: Int
            let inputFields = [SampleField("input", .f32, [256, 256, 1])], targetFields = [SampleField("target", .f32, [1])]
            func rows(_ indices: [Int]) throws(ApusError) -> Dataset {
                let inputs = try Tensor(dtype: .f32, shape: [indices.count, 256, 256, 1]) { bytes throws(ApusError) in
                    memset(bytes.baseAddress!, 0, bytes.count)
                    let values = bytes.bindMemory(to: Float.self)
                    for (row, index) in indices.enumerated() { values[row << 16 + index & 0xFFFF] = 1 }
                }
                return try Dataset(inputs: inputs, targets: Tensor(indices.map { Float($0 % 2) }, shape: [indices.count, 1]))
            }
        }
        final class Resident: Callback {
            var largest = 0
            static var now: Int {
                let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
                return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
            }
            func batchEnded(_ trainer: Trainer, loss: Double, meanLoss: Double, metrics: [any Metric]) {
                largest = max(largest, Resident.now)
            }
        }
        let source = Made(count: 8192), resident = Resident(), before = Resident.now
        let bytes = source.count * 4 << 16
        XCTAssertEqual(bytes, 1 << 31)
        XCTAssertGreaterThan(before, 0)
        let network = try Sequential(input: [256, 256, 1]) { GlobalAvgPool2D(); Dense(1) }
        let trainer = try Trainer(network, loss: MSE(), optimizer: SGD(), batchSize: 32, threads: 1)
        try trainer.fit(source, epochs: 1, validation: .split(0.1), callbacks: [resident])
        XCTAssertEqual(trainer.progress.step, 231)
        XCTAssertLessThan(resident.largest - before, 200 << 20)
    }
}
