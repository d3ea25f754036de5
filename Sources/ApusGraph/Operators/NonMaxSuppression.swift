import CKernels
import CModelFormat

/// Of each class the boxes in the order of their scores, without those that cover a better one: whose intersection over
/// union with a taken box is above a threshold. ONNX: NonMaxSuppression with constant thresholds, and room for the most.
///
/// Inputs: boxes [batch, N, 4], scores [batch, classes, N], both f32. Outputs: selected, i64 [batch·classes·min(maximum, N),
/// 3], (batch entry, class, box), after the first n rows all 0; n, a scalar of i64.
public final class NonMaxSuppression: Operator {
    public let maximumPerClass: Int
    public let iouThreshold: Float
    /// Boxes must score above it; nil lets all in.
    public let scoreThreshold: Float?
    /// Boxes are [x center, y center, width, height], else two corners [y1, x1, y2, x2].
    public let isCentered: Bool

    public init(maximumPerClass: Int, iouThreshold: Float, scoreThreshold: Float? = nil, isCentered: Bool = false) {
        self.maximumPerClass = maximumPerClass
        self.iouThreshold = iouThreshold
        self.scoreThreshold = scoreThreshold
        self.isCentered = isCentered
    }

    // MARK: Wire

    public static let entry = OperatorEntry("NonMaxSuppression", APUS__NODE__OPERATOR_NON_MAX_SUPPRESSION) {
        node throws(ApusError) in
        let m = node.non_max_suppression.pointee
        return NonMaxSuppression(
            maximumPerClass: Int(m.maximum_per_class), iouThreshold: m.iou_threshold,
            scoreThreshold: m.has_score_threshold != 0 ? m.score_threshold : nil, isCentered: m.is_centered != 0)
    }
    public override var entry: OperatorEntry { NonMaxSuppression.entry }

    public override func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.non_max_suppression = wire.message(apus__non_max_suppression__init) {
            $0.maximum_per_class = UInt32(clamping: maximumPerClass)
            $0.iou_threshold = iouThreshold
            $0.has_score_threshold = scoreThreshold == nil ? 0 : 1
            $0.score_threshold = scoreThreshold ?? 0
            $0.is_centered = isCentered ? 1 : 0
        }
    }

    // MARK: Shape rule

    public override var inputCount: ClosedRange<Int> { 2...2 }

    public override var outputCount: Int { 2 }

    public override func outputTypes(_ inputs: [TensorType]) throws(ApusError) -> [TensorType] {
        let boxes = inputs[0], scores = inputs[1]
        try boxes.require("boxes", rank: 3, dtype: .f32)
        try scores.require("scores", rank: 3, dtype: .f32)
        guard boxes.shape[2] == 4 else { throw .shape("boxes \(boxes), wanted 4 numbers each") }
        guard boxes.shape[0] == scores.shape[0], boxes.shape[1] == scores.shape[2] else {
            throw .shape("boxes \(boxes) and scores \(scores), wanted [batch, N, 4] and [batch, classes, N]")
        }
        let room = Shape([scores.shape[0], scores.shape[1], min(maximumPerClass, boxes.shape[1])]).count
        guard room <= Shape.maximumExtent else { throw .shape("room for \(room) boxes") }
        return [TensorType(.i64, [room, 3]), TensorType(.i64, [])]
    }

    // MARK: Kernel choice

    public override func kernels(_ site: KernelSite) throws(ApusError) -> KernelPlan {
        let scores = site.inputs[1].shape
        var params = ck_nms_params()
        params.batch = Int64(scores[0])
        params.classes = Int64(scores[1])
        params.boxes = Int64(scores[2])
        params.maximum_per_class = Int64(min(maximumPerClass, scores[2]))
        params.iou_threshold = iouThreshold
        params.has_score_threshold = scoreThreshold == nil ? 0 : 1
        params.score_threshold = scoreThreshold ?? 0
        params.is_centered = isCentered ? 1 : 0
        let launch = try Launch(ck_nms(site.dtype), params, units: 1, site.allOperands + [.workspace(0)])
        return KernelPlan([launch], workspaceBytes: 4 * scores[2], operations: 4 * scores.count)
    }

    // MARK: Gradient

    /// None flows through an index.
    public override func gradient(_ g: Gradient) throws(ApusError) -> [Value?] { [nil, nil] }
}
