/* Convolution in two dimensions: forward, gradients, depthwise, packing. Activations are NHWC.
 *
 * Weights have the logical shape [kernel_h, kernel_w, in_c / groups, out_c]; output channel o belongs to
 * group o / (out_c / groups). Products read them as panels of 16 columns, zero padded (g: groups):
 *
 *   forward panels     [g][ceil(out_c / g / 16)][kernel_h · kernel_w · in_c / g][16]    column: output channel
 *   transposed panels  [g][ceil(in_c / g / 16)][kernel_h · kernel_w · out_c / g][16]    column: input channel
 *
 * Every output is one chain of fused multiply-adds that starts at 0 and takes its taps in the order
 * (ky, kx, channel); every variant gives the same f32 bits before the activation. A tap that falls into the
 * padding is multiplied like any other, with the value +0 (so an infinite weight there makes a NaN).
 *
 * An optional operand that is absent takes no place among the operands. dtypes: f32 with weights in f32,
 * f16 or bf16; f64 with weights in f64 (reference only). Bias and residual have the type of the activations.
 */
#ifndef CK_CONV_H
#define CK_CONV_H

#include "ck.h"
#include "ck_movement.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One geometry serves a convolution and its gradients: `in` is X, `out` is Y. A transposed convolution is the
 * input gradient of the convolution whose Y is its input. Padding at the bottom and the right follows
 * from the output size. All counts are ≥ 1, pads ≥ 0; every field, and every coordinate with its padding, is
 * below 2³⁰. */
typedef struct {
    int32_t batch;
    int32_t in_h, in_w, in_c;
    int32_t out_h, out_w, out_c;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t groups;       /* divides in_c and out_c */
    int32_t has_bias;     /* 0 or 1; forward: [out_c], input gradient: [in_c] */
    int32_t has_residual; /* 0 or 1; shape of the result */
    int32_t winograd;     /* 0 or 1; how the weight gradient is computed */
    int32_t fused;        /* not 0: of ck_conv_fused_params, which these begin; into so many stretches lines of an image are parted */
    int32_t pools;        /* 1: of every 2 × 2 results beside each other the greatest, NaN if one is NaN, is all that Y takes,
                           * [batch, out_h / 2, out_w / 2, out_c]; out_h and out_w are even */
    ck_activation_params activation;
} ck_conv_params;

/* Forward: Y = act(X * W + bias + residual).
 * operands: X, W (forward panels), [bias], [residual], Y. A unit is 12 pixels of Y × 32 channels. */
ck_task ck_conv(const ck_conv_params *params, ck_dtype weights, ck_isa isa);
size_t ck_conv_units(const ck_conv_params *params);

/* Whether ck_conv and, of tiles of 4 × 4, ck_winograd can give maxima alone, in f32. */
int32_t ck_conv_pools(const ck_conv_params *params, ck_isa isa);

/* The copy of the pixels that a convolution of one tap without padding reads beside each other: [batch, out_h, out_w, in_c]. */
ck_copy_params ck_conv_pixels(const ck_conv_params *params);

/* Input gradient, and the forward of a transposed convolution: dX = act(dY *ᵀ W + bias + residual).
 * operands: dY, W (transposed panels), [bias], [residual], dX. A unit is 12 pixels of dX × 32 channels.
 * Taps that miss the stride grid are left out; taps beyond the edge of dY count as +0. */
ck_task ck_conv_input_gradient(const ck_conv_params *params, ck_dtype weights, ck_isa isa);
size_t ck_conv_input_gradient_units(const ck_conv_params *params);

/* Weight gradient, in two launches. The images are cut into slices, of which the params alone decide: each has sums of its
 * own, and dW (plain [kernel_h, kernel_w, in_c / groups, out_c]) comes from the slices' sums added in order.
 *   ck_conv_weight_gradient       operands: X, dY, sums, scratch of every lane. A unit is one slice × up to 12 rows of dW, a
 *       row being one (ky, kx, input channel), × 32 columns. Each sum, laid out like dW, is one chain of fused multiply-adds
 *       over (image, row, column) of dY; pixels whose tap falls into the padding are left out.
 *   ck_conv_weight_gradient_join  operands: sums, dW. A unit is 1024 elements of a plane of the sums.
 * By Winograd's method (conv/winograd_gradient.h), for kernels of 3 × 3 with strides, dilations and groups of 1 and a multiple of
 * 8 input channels, a unit is one slice × 64 columns, and the sums are chains over tiles of 4 × 4 pixels.
 * dtype: f32, f64 (reference only). Bias, residual and activation are ignored. */
ck_task ck_conv_weight_gradient(const ck_conv_params *params, ck_dtype dtype, ck_isa isa);
size_t ck_conv_weight_gradient_units(const ck_conv_params *params);
size_t ck_conv_weight_gradient_sums(const ck_conv_params *params);    /* elements of all slices' sums */
size_t ck_conv_weight_gradient_scratch(const ck_conv_params *params); /* elements of one lane; 64-byte aligned */
ck_task ck_conv_weight_gradient_join(ck_dtype dtype);
size_t ck_conv_weight_gradient_join_units(const ck_conv_params *params);

/* Depthwise: groups == in_c. Weights and their gradient are plain: [kernel_h · kernel_w][out_c]. The operands,
 * the sums and the rules are those of the functions above. Vectorized where out_c == in_c and, forward and input gradient, the
 * kernel has at most 256 taps, whose lines span at most 512 pixels together: what they read is copied to the stack, 100 KB.
 * Units: a line of the result × 32 channels (forward, input gradient); 12 taps × 32 output channels (weight gradient, which
 * is one launch; operands: X, dY, dW). */
ck_task ck_depthwise(const ck_conv_params *params, ck_dtype weights, ck_isa isa);
size_t ck_depthwise_units(const ck_conv_params *params);
ck_task ck_depthwise_input_gradient(const ck_conv_params *params, ck_dtype weights, ck_isa isa);
size_t ck_depthwise_input_gradient_units(const ck_conv_params *params);
ck_task ck_depthwise_weight_gradient(const ck_conv_params *params, ck_dtype dtype, ck_isa isa);
size_t ck_depthwise_weight_gradient_units(const ck_conv_params *params);

/* Packing moves elements of any 2, 4 or 8 byte type; of the params it reads the kernel, in_c, out_c and groups.
 *   ck_conv_pack             operands: plain, forward panels
 *   ck_conv_unpack           operands: forward panels, plain
 *   ck_conv_pack_transposed  operands: plain, transposed panels
 * A unit is one panel: forward panels for the first two, transposed panels for the third. */
ck_task ck_conv_pack(ck_dtype dtype);
ck_task ck_conv_unpack(ck_dtype dtype);
ck_task ck_conv_pack_transposed(ck_dtype dtype);
size_t ck_conv_panels(const ck_conv_params *params);
size_t ck_conv_transposed_panels(const ck_conv_params *params);
/* Elements of all forward (transposed) panels, padding included. */
size_t ck_conv_panel_elements(const ck_conv_params *params);
size_t ck_conv_transposed_panel_elements(const ck_conv_params *params);

#ifdef __cplusplus
}
#endif
#endif
