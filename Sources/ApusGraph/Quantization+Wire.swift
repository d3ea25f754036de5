public import CModelFormat

extension Quantization {
    public init(wire message: Apus__Quantization) throws(ApusError) {
        guard message.scale_count == 0 else { throw .unsupported("scales in the weights need a newer Apus") }
        var scales: [Float] = [], zeroPoints: [Int32] = []
        for i in 0..<message.n_scales { scales.append(message.scales[i]) }
        for i in 0..<message.n_zero_points { zeroPoints.append(message.zero_points[i]) }
        let granularity: Granularity
        switch message.granularity {
        case APUS__QUANTIZATION__GRANULARITY__PER_TENSOR: granularity = .perTensor
        case APUS__QUANTIZATION__GRANULARITY__PER_CHANNEL: granularity = .perChannel(axis: Int(message.axis))
        case APUS__QUANTIZATION__GRANULARITY__PER_BLOCK:
            granularity = .perBlock(axis: Int(message.axis), size: Int(message.block_size))
        default: throw .file("quantization granularity \(message.granularity.rawValue), wanted 0 ... 2")
        }
        self.init(granularity: granularity, scales: scales, zeroPoints: zeroPoints)
    }

    public func encoded(_ wire: WireArena) -> UnsafeMutablePointer<Apus__Quantization> {
        wire.message(apus__quantization__init) {
            switch granularity {
            case .perTensor: $0.granularity = APUS__QUANTIZATION__GRANULARITY__PER_TENSOR
            case .perChannel(let axis):
                $0.granularity = APUS__QUANTIZATION__GRANULARITY__PER_CHANNEL
                $0.axis = Int32(axis)
            case .perBlock(let axis, let size):
                $0.granularity = APUS__QUANTIZATION__GRANULARITY__PER_BLOCK
                $0.axis = Int32(axis)
                $0.block_size = UInt32(size)
            }
            $0.n_scales = scales.count
            $0.scales = wire.array(scales)
            $0.n_zero_points = zeroPoints.count
            $0.zero_points = wire.array(zeroPoints)
        }
    }
}
