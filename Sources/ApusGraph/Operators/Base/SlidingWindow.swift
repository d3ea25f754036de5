import CModelFormat

/// A height and a width.
public struct Size2D: Sendable, Equatable, ExpressibleByIntegerLiteral {
    public var height, width: Int

    public init(_ height: Int, _ width: Int) {
        self.height = height
        self.width = width
    }

    /// The same both ways.
    public init(integerLiteral value: Int) { self.init(value, value) }
}

/// What surrounds the height and width of an image.
public enum Padding: Sendable, Equatable {
    case valid
    /// As much as makes the output ⌈input / stride⌉ long; the odd row and column at the end.
    case same
    case explicit(top: Int, left: Int, bottom: Int, right: Int)

    /// Whether no image has any.
    var isNone: Bool { self == .valid || self == .explicit(top: 0, left: 0, bottom: 0, right: 0) }
}

/// How windows of taps lie over an image: output o reads the inputs o·stride + k·dilation − pad for 0 ≤ k < kernel,
/// on both axes.
struct SlidingWindow: Sendable {
    let strides, dilations: Size2D
    let padding: Padding

    static let maximumStride = 4096
    /// The input gradient of a convolution goes through the image once per pair of offsets within the strides.
    static let maximumStrides = 1 << 14
    static let maximumDilation = 1 << 16
    /// What the kernels count in 32 bits: every extent, and every coordinate in the padded image.
    static let maximumExtent = (1 << 30) - 1

    /// The size of the output and the padding before the image.
    struct Placement {
        var output: Size2D
        var top, left: Int
    }

    /// The windows of a kernel over an image.
    func placed(kernel: Size2D, over image: Size2D) throws(ApusError) -> Placement {
        try check()
        var vertical: (Int, Int)?, horizontal: (Int, Int)?
        switch padding {
        case .valid: (vertical, horizontal) = ((0, 0), (0, 0))
        case .same: break
        case .explicit(let top, let left, let bottom, let right):
            (vertical, horizontal) = ((top, bottom), (left, right))
        }
        let y = try SlidingWindow.place(
            "height", kernel.height, strides.height, dilations.height, vertical, over: image.height)
        let x = try SlidingWindow.place(
            "width", kernel.width, strides.width, dilations.width, horizontal, over: image.width)
        return Placement(output: Size2D(y.output, x.output), top: y.before, left: x.before)
    }

    /// The image over which the windows of a kernel give `output`, with `extra` rows and columns at its end that no
    /// further window fits into.
    func image(kernel: Size2D, output: Size2D, extra: Size2D) throws(ApusError) -> Size2D {
        try check()
        for (extra, stride) in [(extra.height, strides.height), (extra.width, strides.width)] {
            guard extra >= 0 && extra < stride else {
                throw .shape("output padding \(extra), wanted less than the stride \(stride)")
            }
        }
        var pads = Size2D(0, 0)
        switch padding {
        case .valid: break
        case .same:
            guard extra == 0 else { throw .shape("output padding beside padding 'same', wanted none") }
            return Size2D(output.height * strides.height, output.width * strides.width)
        case .explicit(let top, let left, let bottom, let right): pads = Size2D(top + bottom, left + right)
        }
        let window = Size2D((kernel.height - 1) * dilations.height, (kernel.width - 1) * dilations.width)
        return Size2D(
            (output.height - 1) * strides.height + window.height + 1 - pads.height + extra.height,
            (output.width - 1) * strides.width + window.width + 1 - pads.width + extra.width)
    }

    /// Extents of a tensor that the window does not slide along.
    static func check(_ type: Message, _ extents: Int...) throws(ApusError) {
        for extent in extents where extent < 1 || extent > maximumExtent {
            throw .shape("extent \(extent) of \(type), wanted 1 ... \(maximumExtent)")
        }
    }

    /// The ranges of the attributes, so that products of two of them and an extent fit `Int`.
    private func check() throws(ApusError) {
        for stride in [strides.height, strides.width] where stride < 1 || stride > SlidingWindow.maximumStride {
            throw .shape("stride \(stride), wanted 1 ... \(SlidingWindow.maximumStride)")
        }
        guard strides.height * strides.width <= SlidingWindow.maximumStrides else {
            throw .shape(
                "strides \(strides.height) · \(strides.width), wanted at most \(SlidingWindow.maximumStrides)")
        }
        for dilation in [dilations.height, dilations.width]
        where dilation < 1 || dilation > SlidingWindow.maximumDilation {
            throw .shape("dilation \(dilation), wanted 1 ... \(SlidingWindow.maximumDilation)")
        }
        guard case .explicit(let top, let left, let bottom, let right) = padding else { return }
        for width in [top, left, bottom, right] where width < 0 || width > SlidingWindow.maximumExtent {
            throw .shape("padding \(width), wanted 0 ... \(SlidingWindow.maximumExtent)")
        }
    }

    private static func place(
        _ axis: String, _ kernel: Int, _ stride: Int, _ dilation: Int, _ padding: (before: Int, after: Int)?,
        over extent: Int
    ) throws(ApusError) -> (output: Int, before: Int) {
        guard kernel >= 1 && extent >= 1 && extent <= maximumExtent else {
            throw .shape("kernel \(kernel) over \(axis) \(extent), wanted 1 ... \(maximumExtent)")
        }
        let window = (kernel - 1) * dilation + 1
        var output = (extent + stride - 1) / stride
        let missing = max((output - 1) * stride + window - extent, 0)
        let (before, after) = padding ?? (missing / 2, missing - missing / 2)
        let padded = before + extent + after
        guard padded <= maximumExtent else {
            throw .shape("\(axis) \(padded) with padding, wanted at most \(maximumExtent)")
        }
        guard window <= padded else {
            throw .shape("a window of \(window) over \(axis) \(padded) with padding, wanted at most as much")
        }
        if padding != nil { output = (padded - window) / stride + 1 }
        return (output, before)
    }
}

// MARK: Wire

extension Padding {
    init(
        wire padding: Apus__Padding, top: UInt32, left: UInt32, bottom: UInt32, right: UInt32
    ) throws(ApusError) {
        switch padding {
        case APUS__PADDING__VALID: self = .valid
        case APUS__PADDING__SAME: self = .same
        case APUS__PADDING__EXPLICIT:
            self = .explicit(top: Int(top), left: Int(left), bottom: Int(bottom), right: Int(right))
        default: throw .file("padding \(padding.rawValue), wanted 0 ... 2")
        }
    }

    var encoded: Apus__Padding {
        switch self {
        case .valid: APUS__PADDING__VALID
        case .same: APUS__PADDING__SAME
        case .explicit: APUS__PADDING__EXPLICIT
        }
    }

    /// Top, left, bottom, right; zeros where they follow from the size of the image.
    var widths: (top: UInt32, left: UInt32, bottom: UInt32, right: UInt32) {
        guard case .explicit(let top, let left, let bottom, let right) = self else { return (0, 0, 0, 0) }
        return (UInt32(clamping: top), UInt32(clamping: left), UInt32(clamping: bottom), UInt32(clamping: right))
    }
}
