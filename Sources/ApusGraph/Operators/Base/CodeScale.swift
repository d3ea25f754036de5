import CKernels
import CModelFormat

/// What codes of i8 stand for: real = scale · (code − zero point).
public struct CodeScale: Sendable, Equatable {
    public var scale: Float
    /// −128 ... 127.
    public var zeroPoint: Int32

    public init(scale: Float, zeroPoint: Int32 = 0) {
        self.scale = scale
        self.zeroPoint = zeroPoint
    }

    public var quantization: Quantization { Quantization(scales: [scale], zeroPoints: [zeroPoint]) }

    /// The type of a tensor of such codes.
    public func type(_ shape: Shape) -> TensorType { TensorType(.i8, shape, quantization: quantization) }

    /// The code of a number: round(real / scale), halves to even, + zero point, within −128 ... 127, where NaN is −128.
    public func code(of real: Float) -> Int {
        let units = (real / scale).rounded(.toNearestOrEven) + Float(zeroPoint)
        return units > -128 ? Int(min(units, 127)) : -128
    }

    /// The number that a code stands for.
    public func real(of code: Int) -> Float { scale * Float(code - Int(zeroPoint)) }

    /// fl(this scale / another), the factor from units of this scale to units of the other.
    func ratio(to other: CodeScale) -> Float { scale / other.scale }

    /// How numbers in units of the scale become codes within bounds.
    func quantizer(_ bounds: CodeBounds = CodeBounds()) -> ck_quantizer {
        ck_quantizer(
            low: Float(Int32(bounds.minimum) - zeroPoint), high: Float(Int32(bounds.maximum) - zeroPoint), zero: zeroPoint)
    }

    /// Of the output that a node of a file quantizes.
    init(wire node: Apus__Node) throws(ApusError) {
        guard let result = try CodeScale.optional(wire: node) else {
            throw .file("no output quantization, wanted one")
        }
        self = result
    }

    static func optional(wire node: Apus__Node) throws(ApusError) -> CodeScale? {
        guard node.n_output_quantization <= 1 else {
            throw .file("\(node.n_output_quantization) output quantizations, wanted 1")
        }
        guard node.n_output_quantization == 1, let message = node.output_quantization[0] else { return nil }
        return try CodeScale(wire: message.pointee, of: "output")
    }

    /// Of a message that quantizes a whole tensor.
    public init(wire message: Apus__Quantization, of what: String) throws(ApusError) {
        let quantization = try Quantization(wire: message)
        guard quantization.granularity == .perTensor else {
            throw .file("\(what) quantization along an axis, wanted one scale for the tensor")
        }
        guard quantization.scales.count == 1, quantization.zeroPoints.count <= 1 else {
            throw .file(
                "\(what) quantization of \(quantization.scales.count) scales and \(quantization.zeroPoints.count) zero "
                    + "points, wanted 1 and at most 1")
        }
        self.init(scale: quantization.scales[0], zeroPoint: quantization.zeroPoints.first ?? 0)
    }
}

/// The codes that a fused activation leaves of −128 ... 127.
public struct CodeBounds: Sendable, Equatable {
    public var minimum, maximum: Int

    public init(_ minimum: Int = -128, _ maximum: Int = 127) {
        self.minimum = minimum
        self.maximum = maximum
    }

    /// The bounds that an activation of the real numbers leaves, those of other activations than ReLU, ReLU6 and clip being
    /// all codes.
    public init(_ activation: Activation, _ codes: CodeScale) {
        self.init()
        switch activation {
        case .relu: minimum = codes.code(of: 0)
        case .relu6: (minimum, maximum) = (codes.code(of: 0), codes.code(of: 6))
        case .clip(let low, let high): (minimum, maximum) = (codes.code(of: low), codes.code(of: high))
        default: break
        }
    }

    init(wire message: UnsafePointer<Apus__CodeBounds>?) {
        guard let m = message?.pointee else {
            self.init()
            return
        }
        self.init(Int(m.minimum), Int(m.maximum))
    }

    func encoded(_ wire: WireArena) -> UnsafeMutablePointer<Apus__CodeBounds> {
        wire.message(apus__code_bounds__init) {
            $0.minimum = Int32(clamping: minimum)
            $0.maximum = Int32(clamping: maximum)
        }
    }

    func check() throws(ApusError) {
        guard minimum >= -128 && minimum <= maximum && maximum <= 127 else {
            throw .shape("bounds \(minimum) ... \(maximum), wanted −128 ≤ minimum ≤ maximum ≤ 127")
        }
    }
}

extension TensorType {
    /// Plain codes of i8 with one scale for the tensor.
    @discardableResult
    func requireCodes(_ what: String, shape wanted: Shape? = nil) throws(ApusError) -> CodeScale {
        guard layout == .plain else { throw .shape("\(what) \(self) in a packed layout, wanted plain") }
        guard dtype == .i8, let quantization, quantization.granularity == .perTensor, let scale = quantization.scales.first
        else { throw .shape("\(what) \(self), wanted i8 quantized by one scale") }
        if let wanted, shape != wanted { throw .shape("\(what) of shape \(shape), wanted \(wanted)") }
        return CodeScale(scale: scale, zeroPoint: quantization.zeroPoints.first ?? 0)
    }
}
