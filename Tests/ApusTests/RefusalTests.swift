import ApusGraph
import XCTest

/// What shape rules refuse. Attributes and types come from files, so that any value of them may arrive here.
final class RefusalTests: XCTestCase {
    private let end = Int(Int32.max)

    func testMovement() {
        let x = f32(2, 3)
        refuse(Flatten(axis: 3), x, because: "axis 3, wanted -2 ... 2")
        refuse(Flatten(axis: -3), x, because: "axis -3")
        refuse(Flatten(axis: 3), f32(1, 1 << 20, 1 << 20, 0), because: "extent 1099511627776")
        refuse(Reshape([4, -1]), x, because: "[2, 3] does not reshape to [4, -1]")
        refuse(Reshape([-1, -1]), x, because: "extent -1 at 1")
        refuse(Reshape([2, 3, 0]), x, because: "extent 0 at 2")
        refuse(Reshape([-2]), x, because: "extent -2 at 0")
        refuse(Reshape([Int](repeating: 1, count: 9)), f32(1), because: "9 extents, wanted at most 8")
        refuse(Reshape([0, -1]), f32(0, 3), because: "does not reshape")
        refuse(Reshape([end, end, end]), x, because: "does not reshape")
        refuse(ReshapeLike(), x, f32(7), because: "[2, 3] does not reshape to [7]")
        refuse(Transpose([0]), x, because: "permutation of 1 axes, wanted 2")
        refuse(Transpose([0, 0]), x, because: "axis 0 in the permutation")
        refuse(Transpose([0, 2]), x, because: "axis 2 in the permutation")
        refuse(Transpose([0, -1]), x, because: "axis -1 in the permutation")
        refuse(Transpose([1, 0]), TensorType(.i4, [2, 3]), because: "wanted elements of whole bytes")
        refuse(Expand([4]), x, because: "do not broadcast")
        refuse(Expand([0, 2, 3]), x, because: "extent 0 at 0")
        refuse(Expand([-1, 3]), x, because: "extent -1 at 0")
        refuse(Expand([end, end, 2, 3]), x, because: "too large")
        refuse(ExpandLike(axes: [0]), x, f32(4, 2), because: "x [2, 3], wanted [2]")
        refuse(ExpandLike(axes: [0, -2]), f32(2), f32(4, 2), because: "twice")
    }

    func testPieces() {
        let x = f32(2, 3)
        refuse(Concat(axis: 2), x, x, because: "axis 2, wanted -2 ..< 2")
        refuse(Concat(axis: 0), x, f32(2, 4), because: "wanted to differ along axis 0 only")
        refuse(Concat(axis: 0), x, TensorType(.f64, [2, 3]), because: "wanted one type")
        refuse(Concat(axis: 0), f32(), because: "of rank 0")
        refuse(Concat(axis: 0), f32(end, 0), f32(end, 0), because: "extent 4294967294")
        refuse(Split(axis: 1, sizes: [1, 1]), x, because: "pieces of 2 together, wanted 3")
        refuse(Split(axis: 1, sizes: []), x, because: "0 pieces")
        refuse(Split(axis: 1, sizes: [5, -2]), x, because: "a piece of 5")
        refuse(Split(axis: 1, sizes: [Int](repeating: 0, count: 1025)), x, because: "1025 pieces")
        refuse(Slice(axes: [0], starts: [0], ends: []), x, because: "0 ends")
        refuse(Slice(axes: [0], starts: [0], ends: [1], steps: [0]), x, because: "step 0")
        refuse(Slice(axes: [0], starts: [0], ends: [1], steps: [Int(Int32.min)]), x, because: "step -2147483648")
        refuse(Slice(axes: [2], starts: [0], ends: [1]), x, because: "axis 2")
        refuse(Slice(axes: [0, -2], starts: [0, 0], ends: [1, 1]), x, because: "twice")
        refuse(SliceGradient(axes: [0], starts: [0], ends: [1]), x, x, because: "dy [2, 3], wanted [1, 3]")
        refuse(Pad(before: [1], after: [1]), x, because: "padding of 1 and 1 axes, wanted 2")
        refuse(Pad(before: [-1, 0], after: [0, 0]), x, because: "padding -1 along axis 0")
        refuse(Pad(before: [end, 0], after: [end, 0]), f32(end, 0), because: "extent 6442450941")
        refuse(Pad(before: [1, 0], after: [0, 0], mode: .edge), f32(0, 2), because: "nothing along axis 0")
        let bytes = TensorType(.u8, [2, 3])
        for value in [Float.nan, .infinity, 0.5, -1, 256] {
            refuse(Pad(before: [1, 1], after: [1, 1], value: value), bytes, because: "which u8 does not have")
        }
    }

    func testGathering() {
        let x = f32(2, 3)
        refuse(Gather(axis: 2), x, i64(4), because: "axis 2")
        refuse(Gather(), x, f32(4), because: "indices of type f32, wanted i32 or i64")
        refuse(Gather(), f32(1, 1, 1, 1, 1), i64(1, 1, 1, 1, 1), because: "more than 8 dimensions")
        refuse(Gather(), f32(), i64(1), because: "axis 0")
        refuse(GatherGradient(), f32(4, 3), i64(4), f32(2, 4), because: "dy [4, 3], wanted [4, 4]")
        refuse(GatherGradient(), TensorType(.i8, [4, 3]), i64(4), f32(2, 3), because: "dy of type i8, wanted f32, f64, i32 or i64")
        refuse(OneHot(depth: 0), i64(4), because: "depth 0")
        refuse(OneHot(depth: 1 << 32), i64(4), because: "depth 4294967296")
        refuse(OneHot(depth: 3), f32(4), because: "indices of type f32")
        refuse(OneHot(depth: 3), i64(1, 1, 1, 1, 1, 1, 1, 1), because: "of rank 8")
    }

    func testReductions() {
        let x = f32(2, 3)
        refuse(Reduction(.sum, axes: [2]), x, because: "axis 2")
        refuse(Reduction(.sum, axes: [1, -1]), x, because: "axis -1 twice")
        refuse(Reduction(.sum), TensorType(.u8, [2]), because: "wanted f32, f64, i32 or i64")
        refuse(Reduction(.mean), i64(2), because: "wanted f32 or f64")
        refuse(ArgMax(axis: 1), f32(2, 0), because: "nothing along axis 1")
        refuse(ArgMin(axis: 0), f32(), because: "axis 0")
        refuse(Reduction(.globalAvgPool), x, because: "wanted 3 or more")
        refuse(BatchCount(), f32(), because: "axis 0")
    }

    func testNormalizations() {
        let x = f32(4, 3), c = f32(3)
        for epsilon in [Float(0), -1, .nan, .infinity] {
            refuse(BatchNorm(epsilon: epsilon), x, c, c, c, c, because: "epsilon")
            refuse(LayerNorm(epsilon: epsilon), x, c, c, because: "epsilon")
        }
        for momentum in [Float(-0.1), 1.1, .nan] {
            refuse(BatchNormTraining(momentum: momentum), x, c, c, c, c, because: "momentum")
        }
        refuse(BatchNorm(), x, c, c, f32(4), c, because: "mean f32[4], wanted f32[3]")
        refuse(BatchNorm(), c, c, c, c, c, because: "of rank 1")
        refuse(BatchNormTraining(), f32(0, 3), c, c, c, c, because: "no statistics")
        refuse(LayerNorm(axes: 0), x, c, c, because: "the last 0 dimensions")
        refuse(LayerNorm(axes: 3), x, c, c, because: "the last 3 dimensions")
        refuse(LayerNorm(), x, f32(4), c, because: "gamma f32[4], wanted f32[3]")
        refuse(LayerNorm(), f32(2, 0), f32(0), f32(0), because: "without elements")
        refuse(LayerNormGradient(), x, f32(1, 4, 3), c, c, x, because: "gamma")
        refuse(RmsNorm(epsilon: 0), x, c, because: "epsilon")
        refuse(RmsNorm(), x, f32(4), because: "gamma f32[4], wanted f32[3]")
        refuse(RmsNormGradient(), x, c, f32(3), x, because: "inverse root mean square f32[3], wanted f32[4]")
        refuse(AttentionGradient(Attention(heads: 1, scale: 1)), f32(1, 2, 3), f32(1, 2, 3), f32(1, 2, 4), f32(1, 2, 3), because: "dy")
    }

    private func f32(_ shape: Int...) -> TensorType { TensorType(.f32, Shape(shape)) }
    private func i64(_ shape: Int...) -> TensorType { TensorType(.i64, Shape(shape)) }

    private func refuse(_ op: Operator, _ inputs: TensorType..., because message: String, line: UInt = #line) {
        XCTAssertThrowsError(try op.checkedOutputTypes(inputs, node: "n"), line: line) { error in
            XCTAssert("\(error)".contains(message), "\(error)", line: line)
        }
    }
}
