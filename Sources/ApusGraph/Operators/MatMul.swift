import CKernels
import CModelFormat

/// C = A·B over the last two dimensions, the leading ones broadcast. ONNX: MatMul.
///
/// Inputs: A [..., M, K], or [..., K, M] if `transposeA`; B [..., K, N], or [..., N, K] if `transposeB`; B of rank 2 may
/// be in panels when it is not transposed. Output: C [..., M, N].
public final class MatMul: Operator {
    public let transposeA: Bool
    public let transposeB: Bool

    public init(transposeA: Bool = false, transposeB: Bool = false) {
        self.transposeA = transposeA
        self.transposeB = transposeB
    }

    // MARK: Wire

    public static let entry = OperatorEntry("MatMul", APUS__NODE__OPERATOR_MAT_MUL) { node throws(ApusError) in
        let m = node.mat_mul.pointee
        return MatMul(transposeA: m.transpose_a != 0, transposeB: m.transpose_b != 0)
    }
    public override var entry: OperatorEntry { MatMul.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.mat_mul = wire.message(apus__mat_mul__init) {
            $0.transpose_a = transposeA ? 1 : 0
            $0.transpose_b = transposeB ? 1 : 0
        }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let a = inputs[0], b = inputs[1]
        try a.require("A", minimumRank: 2, float: true)
        try b.require("B", minimumRank: 2, layouts: transposeB ? .plain : .plainOrPanels)
        try b.requireWeights(for: a)
        guard b.layout == .plain || b.shape.rank == 2 else { throw .shape("B \(b) in panels, wanted rank 2") }
        let (m, k) = MatMul.matrix(a.shape, transposed: transposeA)
        let (kb, n) = MatMul.matrix(b.shape, transposed: transposeB)
        guard k == kb else { throw .shape("A \(a) and B \(b): inner extents \(k) and \(kb), wanted equal ones") }
        var shape = try Shape.broadcast(MatMul.batch(a.shape), MatMul.batch(b.shape))
        guard shape.rank + 2 <= Shape.maximumRank else { throw .shape("A \(a) and B \(b): rank too high") }
        shape.append(m)
        shape.append(n)
        return [TensorType(a.dtype, shape)]
    }

    /// Rows and columns of the last two dimensions.
    private static func matrix(_ shape: Shape, transposed: Bool) -> (Int, Int) {
        let rows = shape[shape.rank - 2], columns = shape[shape.rank - 1]
        return transposed ? (columns, rows) : (rows, columns)
    }

    private static func batch(_ shape: Shape) -> Shape { Shape(Array(shape.dimensions.dropLast(2))) }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let a = site.inputs[0].shape, b = site.inputs[1].shape
        let (m, k) = MatMul.matrix(a, transposed: transposeA)
        let (_, n) = MatMul.matrix(b, transposed: transposeB)
        let batchA = MatMul.batch(a), batchB = MatMul.batch(b)
        var product = ck_gemm_params()
        product.m = Int64(m)
        product.n = Int64(n)
        product.k = Int64(k)
        product.a_row_stride = Int64(transposeA ? 1 : k)
        product.a_k_stride = Int64(transposeA ? m : 1)
        product.c_row_stride = Int64(n)
        product.batch = Int64(site.outputs[0].shape.product(0..<(site.outputs[0].shape.rank - 2)))
        product.c_batch_stride = Int64(m &* n)
        product.a_batch_stride = batchA.count == 1 ? 0 : Int64(m &* k)
        product.b_batch_stride = batchB.count == 1 ? 0 : ck_panels_size(Int64(k), Int64(n))
        if batchB.count == 1 && !transposeA && batchA.count > 1 {
            // One B for all: the batches are further rows.
            product.m = product.m &* product.batch
            product.batch = 1
        } else if batchA.count != 1 && batchB.count != 1 && batchA != batchB {
            throw .unsupported("batches \(batchA) and \(batchB), wanted equal ones or a single one")
        }
        return try panelProduct(site, product, batches: batchB.count, transposed: transposeB)
    }

    public override func packedLayout(input: Int, type: TensorType) -> Layout? {
        input == 1 && !transposeB && type.shape.rank == 2 ? .panels : nil
    }

    // MARK: Gradient

    /// dA = dC·Bᵀ, dB = Aᵀ·dC, transposed where the operand is, and summed over broadcast batches.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] {
        let dc = try g.dy(), a = g.inputs[0], b = g.inputs[1]
        var da: Value?, db: Value?
        if g.wanted[0] {
            let full = transposeA
                ? try g(MatMul(transposeA: transposeB, transposeB: true), b, dc)
                : try g(MatMul(transposeB: !transposeB), dc, b)
            da = try g(SumLike(), full, a)
        }
        if g.wanted[1] && b.shape.rank == 2 && !transposeA {
            // One B for all: the batches are further rows.
            db = transposeB ? try g(DenseWeightGradient(), dc, a) : try g(DenseWeightGradient(), a, dc)
        } else if g.wanted[1] {
            let full = transposeB
                ? try g(MatMul(transposeA: true, transposeB: transposeA), dc, a)
                : try g(MatMul(transposeA: !transposeA), a, dc)
            db = try g(SumLike(), full, b)
        }
        return [da, db]
    }
}
