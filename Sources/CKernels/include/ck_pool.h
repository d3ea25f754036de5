/* Max and average pooling over windows in two dimensions, NHWC. dtypes: f32; f64 (reference only).
 * Windows are walked in the order (ky, kx); every variant gives the same bits. */
#ifndef CK_POOL_H
#define CK_POOL_H

#include "ck.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Padding at the bottom and the right follows from the output size. All counts are ≥ 1, pads ≥ 0; every field, and
 * every coordinate with its padding, is below 2³⁰; a window has fewer than 2³¹ taps. */
typedef struct {
    int32_t batch;
    int32_t in_h, in_w, out_h, out_w, channels;
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t dilation_h, dilation_w;
    int32_t pad_top, pad_left;
    int32_t count_padding; /* average: divide by kernel_h · kernel_w (1), or by the taps inside X (0) */
} ck_pool_params;

/* operands: X, Y. A unit is one row (image, oy) of Y. Padding is left out; a window without any tap inside X
 * gives −∞ (max) or 0 (average). A NaN in the window makes the maximum NaN. */
ck_task ck_max_pool(const ck_pool_params *params, ck_dtype dtype, ck_isa isa);
ck_task ck_avg_pool(const ck_pool_params *params, ck_dtype dtype, ck_isa isa);
size_t ck_pool_units(const ck_pool_params *params);

/* operands: X, Y, dY, dX. The first tap that holds the maximum (the first NaN where Y is NaN) takes the
 * gradient; windows add in the order (oy, ox). A unit is one image × 64 channels. */
ck_task ck_max_pool_gradient(const ck_pool_params *params, ck_dtype dtype, ck_isa isa);
size_t ck_max_pool_gradient_units(const ck_pool_params *params);

/* The maximum with its place, and the gradient from that: the number, ky · kernel_w + kx, of the first tap that holds the
 * maximum (the first NaN), as u8; a window has at most 256 taps.
 *   ck_max_pool_index           operands: X, Y, index. Units are those of ck_max_pool.
 *   ck_max_pool_index_gradient  operands: index, dY, dX. Units are those of ck_max_pool_gradient, and so are the bits. */
ck_task ck_max_pool_index(const ck_pool_params *params, ck_dtype dtype, ck_isa isa);
ck_task ck_max_pool_index_gradient(const ck_pool_params *params, ck_dtype dtype, ck_isa isa);

/* operands: dY, dX. Every tap takes dY / divisor; an element adds its windows in the order (ky, kx).
 * A unit is one row (image, iy) of dX. */
ck_task ck_avg_pool_gradient(const ck_pool_params *params, ck_dtype dtype, ck_isa isa);
size_t ck_avg_pool_gradient_units(const ck_pool_params *params);

#ifdef __cplusplus
}
#endif
#endif
