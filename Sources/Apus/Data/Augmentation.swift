import ApusGraph
import Foundation

/// A random change of a picture, for training. What is drawn is a pure function of the seed, the epoch, the sample's
/// index and the place of the step among the steps; so a batch is the same however it is reached, and a new step at
/// the end leaves the draws of the others alone.
///
/// Steps apply to every input of shape [N, H, W, C] and type u8 or f32, with the same draws. Pixels from outside the
/// picture are 0, except where a step says otherwise.
public enum Augmentation: Sendable, Equatable {
    /// Mirrors left and right, with probability 1/2.
    case randomFlip
    /// Mirrors top and bottom, with probability 1/2.
    case randomVerticalFlip
    /// Cuts a picture of the same size from one with `padding` zero pixels on every side, at a uniform place.
    case randomCrop(padding: Int)
    /// Shifts by up to ±`fraction` (0...1) of the height and of the width, in whole pixels; the edge pixels repeat
    /// into the gap.
    case randomShift(fraction: Double)
    /// Rotates about the centre by a uniform angle in ±`degrees`, sampled bilinearly.
    case randomRotate(degrees: Double)
    /// Sets a square of size × size pixels to 0, its centre uniform in the picture, its sides cut at the edges
    /// (DeVries and Taylor 2017).
    case cutout(size: Int)

    func validate() throws(ApusError) {
        switch self {
        case .randomFlip, .randomVerticalFlip: break
        case .randomCrop(let padding):
            guard 0...1 << 16 ~= padding else { throw .argument("the crop's padding is \(padding), wanted 0 to 65536") }
        case .randomShift(let fraction):
            guard 0...1 ~= fraction else { throw .argument("the shift is \(fraction), wanted 0 to 1 of the side") }
        case .randomRotate(let degrees):
            guard 0...180 ~= degrees else { throw .argument("the rotation is \(degrees) degrees, wanted 0 to 180") }
        case .cutout(let size):
            guard 1...1 << 16 ~= size else { throw .argument("the cutout's size is \(size), wanted 1 to 65536") }
        }
    }
}

/// The steps for pictures of one shape and element type, applied in place.
struct Augmenter<Pixel: TensorScalar & Numeric> {
    let steps: [Augmentation]
    let seed: UInt64
    let epoch: Int
    let height: Int
    let width: Int
    let channels: Int

    private var rowSize: Int { width * channels }
    var pictureSize: Int { height * rowSize }

    /// Changes the picture of sample `index`; `scratch` has room for another picture.
    func apply(to picture: UnsafeMutablePointer<Pixel>, index: Int, scratch: UnsafeMutablePointer<Pixel>) {
        for (place, step) in steps.enumerated() {
            var random = SampleRandom(.augmentation, seed: seed, epoch: epoch, index: index, step: place)
            switch step {
            case .randomFlip:
                if random.next() >> 63 == 1 { mirrorColumns(picture) }
            case .randomVerticalFlip:
                if random.next() >> 63 == 1 { mirrorRows(picture) }
            case .randomCrop(let padding):
                let down = random.below(2 * padding + 1) - padding
                let right = random.below(2 * padding + 1) - padding
                shift(picture, down: down, right: right, repeatsEdges: false, scratch)
            case .randomShift(let fraction):
                let vertical = Int(fraction * Double(height))
                let horizontal = Int(fraction * Double(width))
                let down = random.below(2 * vertical + 1) - vertical
                let right = random.below(2 * horizontal + 1) - horizontal
                shift(picture, down: down, right: right, repeatsEdges: true, scratch)
            case .randomRotate(let degrees):
                rotate(picture, by: (2 * random.unit() - 1) * degrees * .pi / 180, scratch)
            case .cutout(let size):
                clear(picture, top: random.below(height) - size / 2, left: random.below(width) - size / 2, size: size)
            }
        }
    }

    func mirrorColumns(_ picture: UnsafeMutablePointer<Pixel>) {
        for y in 0..<height {
            var left = picture + y * rowSize
            var right = left + rowSize - channels
            while left < right {
                for c in 0..<channels {
                    let kept = left[c]
                    left[c] = right[c]
                    right[c] = kept
                }
                left += channels
                right -= channels
            }
        }
    }

    func mirrorRows(_ picture: UnsafeMutablePointer<Pixel>) {
        for y in 0..<height / 2 {
            let upper = picture + y * rowSize
            let lower = picture + (height - 1 - y) * rowSize
            for i in 0..<rowSize {
                let kept = upper[i]
                upper[i] = lower[i]
                lower[i] = kept
            }
        }
    }

    /// new[y, x] = old[y − down, x − right].
    func shift(
        _ picture: UnsafeMutablePointer<Pixel>, down: Int, right: Int, repeatsEdges: Bool,
        _ scratch: UnsafeMutablePointer<Pixel>
    ) {
        if down == 0, right == 0 { return }
        scratch.update(from: picture, count: pictureSize)
        let start = min(max(right, 0), width)
        let end = max(min(width + right, width), 0)
        for y in 0..<height {
            let row = picture + y * rowSize
            let from = y - down
            if !repeatsEdges, from < 0 || from >= height {
                row.update(repeating: 0, count: rowSize)
                continue
            }
            let source = scratch + min(max(from, 0), height - 1) * rowSize
            if start < end {
                (row + start * channels)
                    .update(from: source + (start - right) * channels, count: (end - start) * channels)
            }
            for x in 0..<width where x < start || x >= end {
                for c in 0..<channels {
                    row[x * channels + c] = repeatsEdges ? source[min(max(x - right, 0), width - 1) * channels + c] : 0
                }
            }
        }
    }

    /// Turns counterclockwise by `angle` in radians, as the picture is seen.
    func rotate(_ picture: UnsafeMutablePointer<Pixel>, by angle: Double, _ scratch: UnsafeMutablePointer<Pixel>) {
        scratch.update(from: picture, count: pictureSize)
        let (sine, cosine) = (sin(angle), cos(angle))
        let middleY = Double(height - 1) / 2
        let middleX = Double(width - 1) / 2
        for y in 0..<height {
            for x in 0..<width {
                let dy = Double(y) - middleY
                let dx = Double(x) - middleX
                let sourceX = middleX + cosine * dx - sine * dy
                let sourceY = middleY + sine * dx + cosine * dy
                let left = sourceX.rounded(.down)
                let top = sourceY.rounded(.down)
                let across = sourceX - left
                let along = sourceY - top
                for c in 0..<channels {
                    func source(_ row: Int, _ column: Int) -> Double {
                        guard row >= 0, row < height, column >= 0, column < width else { return 0 }
                        return scratch[row * rowSize + column * channels + c].asDouble
                    }
                    let row = Int(top)
                    let column = Int(left)
                    let upper = (1 - across) * source(row, column) + across * source(row, column + 1)
                    let lower = (1 - across) * source(row + 1, column) + across * source(row + 1, column + 1)
                    picture[y * rowSize + x * channels + c] = Pixel.rounding((1 - along) * upper + along * lower)
                }
            }
        }
    }

    func clear(_ picture: UnsafeMutablePointer<Pixel>, top: Int, left: Int, size: Int) {
        let columns = max(left, 0)..<max(min(left + size, width), max(left, 0))
        for y in max(top, 0)..<max(min(top + size, height), max(top, 0)) {
            (picture + y * rowSize + columns.lowerBound * channels)
                .update(repeating: 0, count: columns.count * channels)
        }
    }
}

extension TensorScalar {
    /// The nearest value, integers rounded half up.
    static func rounding(_ double: Double) -> Self {
        Self(nearest: dtype.isInteger ? (double + 0.5).rounded(.down) : double)
    }
}
