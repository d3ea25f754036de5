/* Integer inference: products, convolutions and what stands between them, over activations of int8. Docs/Quantization.md
 * fixes every result to the bit; all variants give the same bytes.
 *
 * An activation is i8, real = scale · (q − zero). Weights are i8 in panels of four rows,
 *
 *   [groups][ceil(out_c / groups / 16)][ceil(K / 4)][16][4]      K = kernel_h · kernel_w · in_c / groups
 *
 * zero padded; those of a depthwise convolution are plain, [kernel_h · kernel_w][out_c]. Of every operand but panels a
 * kernel touches the stated elements alone.
 */
#ifndef CK_QUANTIZED_H
#define CK_QUANTIZED_H

#include "ck_conv.h"
#include "ck_elementwise.h"
#include "ck_pool.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a number v in units of the scale becomes a code: rne(min(max(v, low), high)) + zero, low for NaN. */
typedef struct {
    float low, high; /* integers: the bounds of the code minus zero */
    int32_t zero;
} ck_quantizer;

/* With acc = c[n] + Σ (x + 128) · W modulo 2³²,
 *
 *   codes   y = quantize(acc · m[n] + (r − residual_zero) · residual_scale)
 *   reals   y = act(acc · s[row] · m[n] + bias[n] + r)       where real_output
 *
 * from left to right, each product and sum rounded; s, bias and r are absent or present. A tap that falls into the padding
 * has x = padding. A product of [M, K] by [K, N] is the 1 × 1 convolution of an image of 1 × M pixels with K channels. */
typedef struct {
    ck_conv_params geometry; /* bias, residual and activation here are not read; `pools` where ck_product8_pools */
    ck_quantizer to;
    float residual_scale;
    int32_t residual_zero, padding;
    int32_t real_output, has_row_scales, has_bias, has_residual; /* 0 or 1 */
    ck_activation_params activation;
    int64_t lane_bytes; /* of workspace that each thread has: ck_product8_lane_bytes */
} ck_product8_params;

/* operands: X i8, W panels, c i32 [out_c], m f32 [out_c], [s f32 [pixels]], [bias f32 [out_c]], [residual as Y], Y i8
 * or f32, workspace of threads · lane_bytes bytes. A unit is a block of pixels, or of tiles of 2 × 2, × 64 or 128 channels. At
 * most 65,536 products a sum. */
ck_task ck_product8(const ck_product8_params *params, ck_isa isa);
size_t ck_product8_units(const ck_product8_params *params, ck_isa isa);
/* Whether it can give maxima alone. */
int32_t ck_product8_pools(const ck_product8_params *params, ck_isa isa);
/* A multiple of 64; no smaller for more pixels. */
size_t ck_product8_lane_bytes(const ck_product8_params *params, ck_isa isa);

/* Depthwise, groups == in_c == out_c: operands X, W plain, c, m, [residual], Y. A unit is a row of pixels. */
ck_task ck_depthwise8(const ck_product8_params *params, ck_isa isa);
size_t ck_depthwise8_units(const ck_product8_params *params);

/* Packs W, plain [kernel_h · kernel_w][in_c / groups][out_c], into panels. operands: plain, panels. A unit is one panel,
 * groups · ceil(out_c / groups / 16) of them, with the elements of i8 or the packed pairs of i4. */
ck_task ck_pack_panels4(ck_dtype dtype);
size_t ck_panels4_units(const ck_conv_params *params);
/* panels, plain. */
ck_task ck_unpack_panels4(ck_dtype dtype);

/* ---- Flat: a unit is CK_BLOCK elements ---- */

/* y = quantize(x / scale). operands: x f32, y i8. */
typedef struct {
    int64_t count;
    float scale;
    ck_quantizer to;
} ck_quantize_params;
ck_task ck_quantize(ck_isa isa);

/* y = scale · (x − zero). operands: x i8, y f32. */
typedef struct {
    int64_t count;
    float scale;
    int32_t zero;
} ck_dequantize_params;
ck_task ck_dequantize(ck_isa isa);

/* y = T[x + 128]. operands: x i8, T [256] of `dtype` (i8 or f32), y. */
typedef struct {
    int64_t count;
} ck_lookup_params;
ck_task ck_lookup(ck_dtype dtype, ck_isa isa);

size_t ck_flat_units(int64_t count);

/* y = quantize((a − a_zero) · a_scale + (b − b_zero) · b_scale), or quantize((a − a_zero) · (b − b_zero) · a_scale).
 * operands: a, b, y, all i8. `shape` as for ck_binary. A unit is CK_BLOCK elements. */
typedef struct {
    ck_binary_params shape;
    float a_scale, b_scale;
    int32_t a_zero, b_zero;
    ck_quantizer to;
} ck_binary8_params;
ck_task ck_add8(ck_isa isa);
ck_task ck_mul8(ck_isa isa);
size_t ck_binary8_units(const ck_binary8_params *params);

/* ---- Windows: a unit is a row of pixels ---- */

/* y = quantize(S · fl(numerator / (denominator · n))), S = Σ (x − zero) over the n taps of a window that lie inside X, or
 * over all with n the size of the window where count_padding; the quotient in f64. operands: x, y, i8. */
typedef struct {
    ck_pool_params window;
    double numerator, denominator;
    int32_t zero;
    ck_quantizer to;
} ck_avg_pool8_params;
ck_task ck_avg_pool8(ck_isa isa);
size_t ck_avg_pool8_units(const ck_avg_pool8_params *params);

/* The greatest code of each window. operands: x, y, i8. */
ck_task ck_max_pool8(ck_isa isa);

/* ---- Rows ---- */

/* e = E[max − x], S = Σ e, y = quantize(e · fl(256 / S)) to −128 … 127 with zero −128. operands: x i8 [rows, width],
 * E i32 [256], y i8. A unit is a row. */
typedef struct {
    int64_t rows, width;
} ck_softmax8_params;
ck_task ck_softmax8(ck_isa isa);

/* ---- Real activations over integer weights ---- */

/* y[m, n] = act(Σ over blocks of fma(Σ x[k] · (W[k, n] − zero), scale, …) + bias[n] + r[m, n]). operands: X f32 [m, k],
 * W panels of i8 or i4, scales f16 [blocks, n], [zeros i8 [blocks, n]], [bias f32 [n]], [r f32 [m, n]], Y f32. */
typedef struct {
    int64_t m, n, k, block; /* block: rows of W to a scale: 32, 64, 128, or k */
    int32_t has_zeros, has_bias, has_residual;
    ck_activation_params activation;
} ck_weight_only_params;
ck_task ck_weight_only(ck_dtype weights, ck_isa isa);
/* The same of codes Q i8 [m, k] in the place of X, weights of i4 in blocks of at most CK_CODES_BLOCK rows, and row scales t f32
 * [m] after the scales: Σ Q·(W − zero) is exact, and y is multiplied by t before the bias. */
enum { CK_CODES_BLOCK = 128 };
ck_task ck_weight_only_codes(ck_isa isa);
size_t ck_weight_only_units(const ck_weight_only_params *params);

/* y[k, i] = W[indices[k], i] · scales[indices[k], i / block]; an index outside −rows ..< rows yields zeros. operands: W i8 or
 * i4 [rows, columns], of i4 an even number of columns, scales f16 [rows, ⌈columns / block⌉], indices [count], y f32.
 * A unit is a row of y. */
typedef struct {
    int64_t rows, columns, block, count;
    int32_t index_dtype;
} ck_weight_only_gather_params;
ck_task ck_weight_only_gather(ck_dtype weights, ck_isa isa);

/* Rows of x f32 [m, k] as codes: q i8 [m, k] and scales f32 [m]. operands: x, q, scales. A unit is a row. */
typedef struct {
    int64_t m, k;
} ck_quantize_rows_params;
ck_task ck_quantize_rows(ck_isa isa);

#ifdef __cplusplus
}
#endif
#endif
