import CKernels
import CModelFormat

/// How the sums of a convolution are computed. Which one it is decides the bits, so a file states it.
public enum ConvolutionAlgorithm: Sendable, Equatable {
    /// One chain of multiply-adds over taps and channels.
    case direct
    /// Minimal filtering F(tile × tile, 3 × 3), tile 2 or 4: 4/9 or 1/4 of the multiplications, between transforms of the
    /// source, the weights and the sums (Lavin and Gray, 2016). 3 × 3 taps; strides, dilations and groups 1.
    case winograd(tile: Int)

    init(wire: Apus__Conv2D__Algorithm) throws(ApusError) {
        switch wire {
        case APUS__CONV2_D__ALGORITHM__DIRECT: self = .direct
        case APUS__CONV2_D__ALGORITHM__WINOGRAD_2: self = .winograd(tile: 2)
        case APUS__CONV2_D__ALGORITHM__WINOGRAD_4: self = .winograd(tile: 4)
        default: throw .file("algorithm \(wire.rawValue) of a convolution, wanted 0 ... 2")
        }
    }

    var encoded: Apus__Conv2D__Algorithm {
        switch self {
        case .direct: APUS__CONV2_D__ALGORITHM__DIRECT
        case .winograd(let tile):
            tile == 2 ? APUS__CONV2_D__ALGORITHM__WINOGRAD_2 : APUS__CONV2_D__ALGORITHM__WINOGRAD_4
        }
    }

    public var name: String {
        switch self {
        case .direct: "direct"
        case .winograd(let tile): tile == 2 ? "winograd 2 x 2" : "winograd 4 x 4"
        }
    }
}

/// A convolution, or its input gradient, by minimal filtering. Plain weights are transformed into the workspace first, as
/// they are transformed when a file is written. `operands` are the site's inputs and output, in the kernel's order.
func winogradProduct(
    _ site: KernelSite, _ params: ck_conv_params, tile: Int, _ direction: ConvolutionDirection,
    _ operands: [KernelOperand], operations: Int
) throws(ApusError) -> KernelPlan {
    var w = ck_winograd_params(conv: params, tile: Int32(clamping: tile), transposed: 0)
    if site.pools && site.dtype == CK_F32 && tile == 4 { w.conv.pools = ck_conv_pools(&w.conv, site.isa) }
    if direction == .backward {
        (w.conv.in_h, w.conv.in_w, w.conv.in_c) = (params.out_h, params.out_w, params.out_c)
        (w.conv.out_h, w.conv.out_w, w.conv.out_c) = (params.in_h, params.in_w, params.in_c)
        w.transposed = 1
    }
    var operands = operands
    var launches: [Launch] = []
    var weights = 0
    if site.inputs[1].layout == .plain {
        weights = (ck_winograd_panel_elements(&w) * site.inputs[1].dtype.bitWidth / 8 + 63) / 64 * 64
        launches.append(
            try Launch(
                ck_winograd_pack(site.dtype, site.isa), w, units: ck_winograd_panels(&w), [.input(1), .workspace(0)]))
        operands[1] = .workspace(0)
    }
    operands.append(.workspace(weights))
    launches.append(
        try Launch(ck_winograd(&w, site.dtype, site.isa), w, units: ck_winograd_units(&w), operands))
    let workspace = weights + Int(ck_winograd_workspace(&w, site.dtype, Int32(site.lanes)))
    let sharing: Sharing = w.conv.pools != 0 ? .maxima : direction == .forward && params.has_residual == 0 ? .pixels : .none
    return KernelPlan(launches, workspaceBytes: workspace, operations: operations, sharing: sharing)
}
