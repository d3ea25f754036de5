import ApusGraph

extension ImageFile {
    /// Resizes a picture [H, W, C] of u8 or f32 with the triangle filter: bilinear where it grows; where it shrinks the
    /// filter widens with the ratio, so that no pixel is skipped. Pixel centres lie at halves. u8 is rounded once.
    public static func resize(_ picture: Tensor, height: Int, width: Int) throws(ApusError) -> Tensor {
        guard picture.shape.count == 3, picture.count > 0 else {
            throw .shape("cannot resize \(picture), wanted [H, W, C]")
        }
        guard height > 0, width > 0 else { throw .argument("cannot resize to \(height) × \(width)") }
        if picture.shape[0] == height, picture.shape[1] == width { return picture }
        switch picture.dtype {
        case .u8: return try resized(picture, height, width, of: UInt8.self)
        case .f32: return try resized(picture, height, width, of: Float.self)
        default: throw .unsupported("cannot resize \(picture), wanted u8 or f32")
        }
    }

    private static func resized<Pixel: TensorScalar>(
        _ picture: Tensor, _ height: Int, _ width: Int, of type: Pixel.Type
    ) throws(ApusError) -> Tensor {
        let channels = picture.shape[2]
        let rows = Taps.all(from: picture.shape[0], to: height)
        let columns = Taps.all(from: picture.shape[1], to: width)
        let sourceRow = picture.shape[1] * channels
        return try Tensor(dtype: picture.dtype, shape: [height, width, channels]) { bytes throws(ApusError) in
            let result = bytes.bindMemory(to: Pixel.self)
            try picture.withUnsafeScalars(of: type) { source throws(ApusError) in
                var blended = Array(repeating: Float(0), count: sourceRow)
                for (y, row) in rows.enumerated() {
                    for i in 0..<sourceRow {
                        var sum: Float = 0
                        for (k, weight) in row.weights.enumerated() {
                            sum += weight * Float(source[(row.first + k) * sourceRow + i].asDouble)
                        }
                        blended[i] = sum
                    }
                    for (x, column) in columns.enumerated() {
                        for c in 0..<channels {
                            var sum: Float = 0
                            for (k, weight) in column.weights.enumerated() {
                                sum += weight * blended[(column.first + k) * channels + c]
                            }
                            result[(y * width + x) * channels + c] = Pixel.rounding(Double(sum))
                        }
                    }
                }
            }
        }
    }
}

/// The source pixels that one result pixel blends along an axis; the weights sum to 1.
private struct Taps {
    var first: Int
    var weights: [Float]

    static func all(from source: Int, to target: Int) -> [Taps] {
        let ratio = Double(source) / Double(target)
        let reach = max(ratio, 1)
        return (0..<target).map { index in
            let center = (Double(index) + 0.5) * ratio
            let first = max(0, Int((center - reach + 0.5).rounded(.down)))
            let end = min(source, Int((center + reach + 0.5).rounded(.down)))
            let raw = (first..<max(end, first + 1)).map { max(0, 1 - abs(Double($0) + 0.5 - center) / reach) }
            let sum = raw.reduce(0, +)
            return Taps(first: first, weights: raw.map { Float($0 / sum) })
        }
    }
}
