/* Normalizations: layer norm, RMS norm, batch norm, forward and backward. */
#ifndef CK_NORMALIZE_H
#define CK_NORMALIZE_H

#include "ck.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An operand marked ? may be NULL: an absent gamma is 1, an absent beta or mean is 0, an absent output
 * is not written. Outputs may not overlap inputs unless said.
 *
 * Layer and RMS norm: ck_layer_norm_params, x [rows, width].
 *
 *   CK_LAYER_NORM          x, gamma?, beta?, y, mean?, inv_std?          unit: a row; y may be x
 *       mean = Σ x / width, inv_std = 1 / √(Σ (x − mean)² / width + ε), y = (x − mean)·inv_std·gamma + beta
 *   CK_LAYER_NORM_DX       x, gamma?, mean, inv_std, dy, dx               unit: a row; dx may be dy
 *       g = dy·gamma, n = (x − mean)·inv_std, dx = inv_std·(g − mean(g) − n·mean(g·n))
 *   CK_LAYER_NORM_DPARAMS  x, mean, inv_std, dy, dgamma?, dbeta?          unit: 16 columns
 *       dgamma = Σ_rows dy·(x − mean)·inv_std, dbeta = Σ_rows dy
 *   CK_RMS_NORM            x, gamma?, y, inv_std?                         the same formulas and units with mean = 0
 *   CK_RMS_NORM_DX         x, gamma?, inv_std, dy, dx                     throughout, and dx without the term mean(g)
 *   CK_RMS_NORM_DPARAMS    x, inv_std, dy, dgamma
 *
 * Batch norm: ck_batch_norm_params, x [pixels, channels]. Sums over pixels are taken by chunks of CK_PIXEL_CHUNK, each into
 * two vectors of its own in `sums` [chunks, 2, channels], and the chunks joined in order.
 *
 *   CK_BATCH_NORM_MOMENTS  x, sums                                        unit: a chunk
 *       mean and Σ (x − mean)² of the chunk
 *   CK_BATCH_NORM_JOIN     sums, mean, variance                           unit: 16 channels
 *       mean = Σ x / pixels, variance = Σ (x − mean)² / pixels (Chan, Golub and LeVeque 1979)
 *   CK_BATCH_NORM_FOLD     gamma?, beta?, mean, variance, scale?, shift?, inv_std?   unit: 16 channels
 *       inv_std = 1 / √(variance + ε), scale = gamma·inv_std, shift = beta − mean·scale
 *   CK_BATCH_NORM_APPLY    x, mean?, scale, shift?, r if has_residual, y  unit: a pixel; y may be x or r
 *       y = activation((x − mean)·scale + shift + r). For inference pass no mean and the folded shift; for
 *       training pass the batch's mean and beta as shift, which keeps precision where |mean| ≫ std.
 *   CK_BATCH_NORM_SUMS     x, mean, dy, y if has_y, sums                  unit: a chunk
 *       Σ dy·(x − mean) and Σ dy of the chunk; here and below dy counts as 0 where y is not above 0
 *   CK_BATCH_NORM_DPARAMS  sums, inv_std, dgamma, dbeta                   unit: 16 channels
 *       dgamma = Σ dy·(x − mean)·inv_std, dbeta = Σ dy
 *   CK_BATCH_NORM_DX       x, gamma?, mean, inv_std, dy, y if has_y, dgamma, dbeta, dx   unit: a pixel; dx may be dy
 *       dx = gamma·inv_std·(dy − dbeta / pixels − (x − mean)·inv_std·dgamma / pixels)
 *
 *   CK_MOVING_AVERAGE      old, batch, new   ck_moving_average_params     unit: 1024 elements; new may be old
 *       new = momentum·old + (1 − momentum)·scale·batch
 */
typedef enum {
    CK_LAYER_NORM = 0, CK_LAYER_NORM_DX = 1, CK_LAYER_NORM_DPARAMS = 2,
    CK_RMS_NORM = 3, CK_RMS_NORM_DX = 4, CK_RMS_NORM_DPARAMS = 5,
    CK_BATCH_NORM_MOMENTS = 6, CK_BATCH_NORM_FOLD = 7, CK_BATCH_NORM_APPLY = 8,
    CK_BATCH_NORM_DPARAMS = 9, CK_BATCH_NORM_DX = 10,
    CK_MOVING_AVERAGE = 11, CK_BATCH_NORM_JOIN = 12, CK_BATCH_NORM_SUMS = 13
} ck_normalize_op;

#define CK_PIXEL_CHUNK 128

typedef struct {
    int64_t rows, width;
    double epsilon;
} ck_layer_norm_params;

typedef struct {
    int64_t pixels, channels;
    double epsilon;
    int32_t has_residual, has_y; /* 0 or 1: an operand that is absent takes no place */
    ck_activation_params activation;
} ck_batch_norm_params;

typedef struct {
    int64_t count;
    double momentum;
    double scale; /* 1 as Keras; n / (n − 1) makes the variance of n pixels unbiased, as PyTorch */
} ck_moving_average_params;

size_t ck_batch_norm_sums(const ck_batch_norm_params *params); /* elements of `sums` */

/* `params` is the struct that belongs to `op`. */
size_t ck_normalize_units(ck_normalize_op op, const void *params);

/* f32 (reference, AVX2, AVX-512), f64 (reference); every operand has that dtype. */
ck_task ck_normalize(ck_normalize_op op, ck_dtype dtype, ck_isa isa);

#ifdef __cplusplus
}
#endif
#endif
