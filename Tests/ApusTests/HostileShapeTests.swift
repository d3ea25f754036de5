import ApusGraph
import ApusRuntime
import CKernels
import Foundation
import XCTest

/// Every operator on types that a file may declare and nobody planned for: extents of 0, 1 and the largest, other ranks,
/// types and layouts. Its rules refuse them, or its kernels are chosen without overflow; small ones run on arbitrary
/// bytes and touch nothing but their operands.
final class HostileShapeTests: XCTestCase {
    private let extents = [0, 0, 1, 1, 2, 3, 5, 16, 17, 100, 1 << 16, 1 << 20, 1 << 21, 1 << 30, Shape.maximumExtent]
    private var random = TestRandom(7), bytes = TestRandom(8) // apart: shapes are the same whatever instruction sets there are
    private var accepted = 0, ran = 0
    /// For each case; APUS_HOSTILE_ROUNDS sets another number.
    private let rounds = ProcessInfo.processInfo.environment["APUS_HOSTILE_ROUNDS"].flatMap { Int($0) } ?? 25

    func testShapes() {
        for item in allCases {
            let types = item.tensors().map { $0.type }
            for _ in 0..<rounds { attempt(item.op, mutated(types)) }
        }
        XCTAssertGreaterThan(accepted, 20 * rounds)
        XCTAssertGreaterThan(ran, 10 * rounds)
    }

    /// Of nothing there may be 2⁴², which no loop must go through.
    func testNothingIsNoWork() {
        let many = 1 << 21
        attempt(
            NonMaxSuppression(maximumPerClass: 1, iouThreshold: 0.5),
            [TensorType(.f32, [many, 0, 4]), TensorType(.f32, [many, many, 0])])
        XCTAssertGreaterThan(ran, 0)
        ran = 0
        for item in allCases where item.op is RecurrentGradient {
            var types = item.tensors().map { $0.type }
            for i in types.indices where types[i].shape.rank == 3 && i != 2 {
                types[i].shape[0] = Shape.maximumExtent
                types[i].shape[1] = 0
            }
            attempt(item.op, types)
        }
        XCTAssertGreaterThan(ran, 0)
    }

    // MARK: Types

    private func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private func mutated(_ types: [TensorType]) -> [TensorType] {
        var types = types
        // The same extent everywhere, so that operands still fit each other.
        let distinct = Set(types.flatMap { $0.shape.dimensions })
        for old in distinct.sorted() where chance(40) {
            let new = extents.randomElement(using: &random)!
            for i in types.indices {
                for axis in 0..<types[i].shape.rank where types[i].shape[axis] == old { types[i].shape[axis] = new }
            }
        }
        let victim = types.indices.randomElement(using: &random)!
        let rank = types[victim].shape.rank
        if chance(25), rank > 0 {
            types[victim].shape[Int.random(in: 0..<rank, using: &random)] = extents.randomElement(using: &random)!
        }
        if chance(8), rank > 0 { types[victim].shape = types[victim].shape.removing(rank - 1) }
        if chance(8) { types[victim].shape.append(extents.randomElement(using: &random)!) }
        if chance(6) { types[victim].dtype = DType.allCases.randomElement(using: &random)! }
        if chance(4) {
            types[victim].layout = [.panels, .panels4, .convPanels(groups: 1), .convPanels(groups: 2)]
                .randomElement(using: &random)!
        }
        return types
    }

    // MARK: Operators

    private func attempt(_ op: Operator, _ inputs: [TensorType]) {
        guard inputs.allSatisfy({ (try? $0.check()) != nil }),
            let outputs = try? op.checkedOutputTypes(inputs, node: "n")
        else { return }
        accepted += 1
        for isa in OperatorRun.instructionSets {
            guard let plan = try? op.chosenKernels(KernelSite(inputs: inputs, outputs: outputs, isa: isa, lanes: 1)) else {
                continue
            }
            let label = "\(op.name) of \(inputs)"
            XCTAssertGreaterThanOrEqual(plan.workspaceBytes, 0, label)
            XCTAssertGreaterThanOrEqual(plan.operations, 0, label)
            let bytes = (inputs + outputs).reduce(plan.workspaceBytes) { $0 + $1.byteSize }
            guard bytes <= 1 << 14, plan.operations <= 1 << 20 else { continue }
            XCTAssertTrue(plan.launches.allSatisfy { $0.units >= 0 && $0.units <= 1 << 20 }, "units: \(label)")
            run(plan, inputs, outputs, label)
            ran += 1
        }
    }

    private func run(_ plan: KernelPlan, _ inputs: [TensorType], _ outputs: [TensorType], _ label: String) {
        let given = inputs.map { Fenced($0.byteSize, &bytes) }, made = outputs.map { Fenced($0.byteSize, &bytes) }
        let workspace = Fenced(plan.workspaceBytes, &bytes)
        let before = given.map { $0.contents }
        for launch in plan.launches {
            let operands: [UnsafeMutableRawPointer?] = launch.operands.map {
                switch $0 {
                case .input(let i): given[i].start
                case .output(let i): made[i].start
                case .workspace(let offset): workspace.start + offset
                }
            }
            launch.params.withUnsafeBytes { launch.task($0.baseAddress, operands, 0, launch.units, 0) }
        }
        XCTAssertTrue((given + made + [workspace]).allSatisfy { $0.isIntact }, "writes past an operand: \(label)")
        XCTAssertTrue(zip(given, before).allSatisfy { $0.contents == $1 }, "writes to an input: \(label)")
    }
}

/// Arbitrary bytes between two rows of marks.
private final class Fenced {
    private let block: UnsafeMutableRawBufferPointer
    private let size: Int
    private static let margin = 64, mark: UInt8 = 0xC3

    var start: UnsafeMutableRawPointer { block.baseAddress! + Fenced.margin }
    var contents: [UInt8] { Array(block[Fenced.margin..<Fenced.margin + size]) }
    var isIntact: Bool {
        block[..<Fenced.margin].allSatisfy { $0 == Fenced.mark }
            && block[(Fenced.margin + size)...].allSatisfy { $0 == Fenced.mark }
    }

    init(_ size: Int, _ random: inout TestRandom) {
        self.size = size
        block = .allocate(byteCount: size + 2 * Fenced.margin, alignment: 64)
        block.initializeMemory(as: UInt8.self, repeating: Fenced.mark)
        let kind = UInt8.random(in: 0..<3, using: &random)
        memset(start, kind == 1 ? 0xFF : 0, size)
        guard kind == 2 else { return }
        for i in stride(from: 0, to: size, by: 8) {
            _ = withUnsafeBytes(of: random.next()) { memcpy(start + i, $0.baseAddress!, min(8, size - i)) }
        }
    }

    deinit { block.deallocate() }
}
