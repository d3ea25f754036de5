import CKernels
import CModelFormat

/// What the pools and their gradients share: windows over x [N, H, W, C], each channel by itself.
///
/// y is [N, OH, OW, C] with OH = ⌊(H + top + bottom − kh) / sh⌋ + 1, or ⌈H / sh⌉ with padding `same`; OW likewise.
/// The padding is less than the kernel, so that every window has an element of x.
public class Pooling: Operator {
    public final let kernel: Size2D
    public final var strides: Size2D { window.strides }
    public final var padding: Padding { window.padding }
    public final let countsPadding: Bool
    private final let window: SlidingWindow

    /// The number of taps fits in 32 bits.
    static let maximumKernel = 1 << 15

    /// The strides are the kernel's size unless given.
    init(
        kernel: Size2D, strides: Size2D?, padding: Padding, countsPadding: Bool, outputCodes: CodeScale? = nil,
        inputsRead: Int = .max
    ) {
        self.kernel = kernel
        self.countsPadding = countsPadding
        window = SlidingWindow(strides: strides ?? kernel, dilations: 1, padding: padding)
        super.init(outputCodes: outputCodes, inputsRead: inputsRead)
    }

    // MARK: Wire

    /// The entry of an operator whose message is Pool; every member of the node's union is one pointer.
    static func entry(
        _ name: String, _ code: Apus__Node__OperatorCase,
        _ make: @escaping @Sendable (
            _ kernel: Size2D, _ strides: Size2D, _ padding: Padding, _ countsPadding: Bool
        ) -> Operator
    ) -> OperatorEntry {
        OperatorEntry(name, code) { node throws(ApusError) in try read(node, make) }
    }

    static func read(
        _ node: Apus__Node,
        _ make: (_ kernel: Size2D, _ strides: Size2D, _ padding: Padding, _ countsPadding: Bool) -> Operator
    ) throws(ApusError) -> Operator {
        let (kernel, strides, padding, countsPadding) = try attributes(wire: node.max_pool)
        return make(kernel, strides, padding, countsPadding)
    }

    static func attributes(
        wire: UnsafePointer<Apus__Pool>
    ) throws(ApusError) -> (kernel: Size2D, strides: Size2D, padding: Padding, countsPadding: Bool) {
        let m = wire.pointee
        let padding = try Padding(
            wire: m.padding, top: m.pad_top, left: m.pad_left, bottom: m.pad_bottom, right: m.pad_right)
        return (
            Size2D(Int(m.kernel_height), Int(m.kernel_width)), Size2D(Int(m.stride_height), Int(m.stride_width)), padding,
            m.count_include_pad != 0
        )
    }

    public override final func encode(to node: inout Apus__Node, _ wire: WireArena) {
        node.max_pool = encoded(wire)
    }

    final func encoded(_ wire: WireArena) -> UnsafeMutablePointer<Apus__Pool> {
        wire.message(apus__pool__init) {
            $0.kernel_height = UInt32(clamping: kernel.height)
            $0.kernel_width = UInt32(clamping: kernel.width)
            $0.stride_height = UInt32(clamping: strides.height)
            $0.stride_width = UInt32(clamping: strides.width)
            $0.padding = padding.encoded
            ($0.pad_top, $0.pad_left, $0.pad_bottom, $0.pad_right) = padding.widths
            $0.count_include_pad = countsPadding ? 1 : 0
        }
    }

    // MARK: Shape rule

    /// The type of y, all rules checked.
    final func pooled(_ x: TensorType) throws(ApusError) -> TensorType {
        try x.require("x", rank: 4, float: true)
        return TensorType(x.dtype, try pooled(x.shape))
    }

    /// The shape of y for x of rank 4, all rules of the attributes checked.
    final func pooled(_ x: Shape) throws(ApusError) -> Shape {
        try SlidingWindow.check("x \(x)", x[0], x[3])
        for extent in [kernel.height, kernel.width] where extent < 1 || extent > Pooling.maximumKernel {
            throw .shape("a kernel of \(kernel.height) × \(kernel.width), wanted 1 ... \(Pooling.maximumKernel)")
        }
        if case .explicit(let top, let left, let bottom, let right) = padding {
            guard max(top, bottom) < kernel.height && max(left, right) < kernel.width else {
                throw .shape(
                    "padding \(top), \(left), \(bottom), \(right), wanted less than the kernel, "
                        + "\(kernel.height) × \(kernel.width)")
            }
        }
        let size = try window.placed(kernel: kernel, over: Size2D(x[1], x[2])).output
        return [x[0], size.height, size.width, x[3]]
    }

    /// The type of the numbers of taps, one for each y.
    final func indices(_ y: TensorType) throws(ApusError) -> TensorType {
        guard kernel.height * kernel.width <= 256 else {
            throw .shape("a kernel of \(kernel.height) × \(kernel.width), wanted at most 256 taps")
        }
        return TensorType(.u8, y.shape)
    }

    // MARK: Kernel choice

    final func params(_ x: Shape) throws(ApusError) -> ck_pool_params {
        let placement = try window.placed(kernel: kernel, over: Size2D(x[1], x[2]))
        return ck_pool_params(
            batch: Int32(clamping: x[0]), in_h: Int32(clamping: x[1]), in_w: Int32(clamping: x[2]),
            out_h: Int32(clamping: placement.output.height), out_w: Int32(clamping: placement.output.width),
            channels: Int32(clamping: x[3]), kernel_h: Int32(clamping: kernel.height),
            kernel_w: Int32(clamping: kernel.width), stride_h: Int32(clamping: strides.height),
            stride_w: Int32(clamping: strides.width), dilation_h: 1, dilation_w: 1,
            pad_top: Int32(clamping: placement.top), pad_left: Int32(clamping: placement.left),
            count_padding: countsPadding ? 1 : 0)
    }

    /// One per tap of every window; saturating.
    final func operations(y: Shape) -> Int { Shape([y.count, kernel.height, kernel.width]).count }
}
