import ApusGraph
import XCTest

/// Shapes, types and attributes that the elementwise operators, losses, random numbers and optimizers refuse.
final class ElementwiseRefusalTests: XCTestCase {
    private let x = TensorType(.f32, [2, 3]), scalar = TensorType(.f32, []), step = TensorType(.i64, [])
    private let source = RandomSource(seed: 1, stream: 2)

    private func refuses(
        _ op: Operator, _ inputs: [TensorType], _ message: String, file: StaticString = #filePath, line: UInt = #line
    ) {
        XCTAssertThrowsError(try op.checkedOutputTypes(inputs, node: "n"), file: file, line: line) { error in
            XCTAssertEqual("\(error)", "node 'n' (\(op.name)): \(message)", file: file, line: line)
        }
    }

    func testTypesAndShapes() {
        refuses(.add, [x], "1 inputs, wanted 2")
        refuses(.add, [x, TensorType(.f32, [2])], "shapes [2, 3] and [2] do not broadcast")
        refuses(.add, [x, TensorType(.f64, [])], "a f32[2, 3] and b f64[], wanted one type")
        refuses(
            .add, [TensorType(.bool, []), TensorType(.bool, [])],
            "a of type bool, wanted f32, f64, i8, u8, i32 or i64")
        refuses(.and, [x, x], "a of type f32, wanted i8, u8, i32, i64 or bool")
        refuses(.exp, [TensorType(.i32, [2])], "x of type i32, wanted f32 or f64")
        refuses(.neg, [TensorType(.f32, [4, 16], layout: .panels)], "x f32[4, 16] in a packed layout, wanted plain")
        refuses(Where(), [x, x, x], "condition of type f32, wanted bool")
        refuses(Cast(.i4), [x], "y of type i4, wanted elements of whole bytes")
        refuses(ActivationGradient(.relu), [x, scalar], "dy f32[], wanted f32[2, 3]")
        refuses(ActivationGradient(.none), [x, x], "no activation, wanted one")
        refuses(Softmax(axis: 2), [x], "axis 2, wanted -2 ..< 2 for shape [2, 3]")
        refuses(Softmax(), [scalar], "input 0 f32[] of rank 0, wanted 1 or more")
        refuses(SparseSoftmaxCrossEntropy(), [x, TensorType(.i64, [2])], "labels i64[2], wanted i32[2]")
        refuses(SoftmaxCrossEntropy(), [x, TensorType(.f32, [2])], "targets f32[2], wanted f32[2, 3]")
        let empty = TensorType(.f32, [2, 0])
        refuses(SparseSoftmaxCrossEntropy(), [empty, x], "logits f32[2, 0] of no class, wanted 1 or more")
        refuses(Dropout(rate: 0.5, source: source), [x, scalar], "counter f32[], wanted i64[]")
        refuses(GlobalNorm(), [x, TensorType(.f64, [1])], "input 1 of type f64, wanted f32")
        refuses(ClipByNorm(maximum: 1), [x, x], "norm f32[2, 3], wanted f32[]")
        refuses(Sgd(), [x, x, step, step], "learning rate i64[], wanted f32[]")
        refuses(Sgd(momentum: 0.5), [x, x, scalar, step], "4 inputs, wanted 5")
        refuses(Adam(), [x, x, x, scalar, scalar, step], "slot 1 f32[], wanted f32[2, 3]")
    }

    func testAttributes() {
        refuses(ActivationOperator(.leakyRelu(alpha: .nan)), [x], "a parameter of LeakyReLU is not a number")
        refuses(ActivationOperator(.clip(minimum: .nan, maximum: 1)), [x], "a parameter of Clip is not a number")
        refuses(Dropout(rate: 1.5, source: source), [x, step], "a rate outside 0 ... 1")
        refuses(Dropout(rate: .nan, source: source), [x, step], "a rate outside 0 ... 1")
        refuses(
            RandomUniform([2, -1], source: source), [step], "extent -1 in [2, -1], wanted 0 ... 2147483647")
        refuses(RandomNormal([1], source: source, mean: .infinity), [step], "bounds that are not finite numbers")
        refuses(
            RandomUniform([1 << 20, 1 << 20], source: source), [step],
            "1099511627776 random numbers, wanted at most 17179869184")
        refuses(ClipByNorm(maximum: 0), [x, scalar], "a maximum that is not a positive finite number")
        refuses(Sgd(momentum: 2), [x, x, x, scalar, step], "a momentum outside 0 ... 1")
        refuses(Sgd(weightDecay: -1), [x, x, scalar, step], "a weight decay that is negative or not finite")
        refuses(RmsProp(rho: 1), [x, x, x, scalar, step], "a rho outside 0 ..< 1")
        refuses(Adagrad(epsilon: 0), [x, x, x, scalar, step], "an epsilon that is not a positive finite number")
        refuses(Adam(beta2: .nan), [x, x, x, x, scalar, step], "a beta2 outside 0 ..< 1")
    }

    func testEqualScalarsShareTheirBytes() throws {
        let graph = Graph()
        let builder = GraphBuilder(graph, function: "f")
        let one = try builder.scalar(1, .f32)
        XCTAssertEqual(try builder.scalar(1, .f32).operand, one.operand)
        XCTAssertNotEqual(try builder.scalar(1, .f64).operand, one.operand)
        XCTAssertNotEqual(try builder.scalar(2, .f32).operand, one.operand)
        XCTAssertEqual(graph.constants.count, 3)
    }
}
