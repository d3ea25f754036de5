/* Quantization-aware training: real numbers rounded to those that codes of int8 can be. Docs/Quantization.md, section 10.
 * f32, and f64 as reference alone; all variants give the same bytes. */
#ifndef CK_FAKE_QUANTIZE_H
#define CK_FAKE_QUANTIZE_H

#include "ck_elementwise.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Scale and zero point of the codes −128 … 127 of low … high, widened to hold 0. Not a number counts as 0. */
void ck_code_scale(double low, double high, float *scale, int32_t *zero);

typedef struct {
    int64_t count;
    double range_scale; /* of the range's gradient */
    double momentum;    /* of the observed range */
} ck_fake_quantize_params;

/* y = s · (quantize(x / s, z) − z) with s, z the codes of the range. operands: x, range [2], y; y may be x. A unit is
 * CK_BLOCK elements. */
ck_task ck_fake_quantize(ck_dtype dtype, ck_isa isa);

/* dx = dy where x is in the range, else 0. operands: x, range, dy, dx, sums f64 [units][2]; dx may be dy. Where range_scale
 * is not 0, the sums are those of dy · ∂y/∂low and dy · ∂y/∂high over each block. A unit is CK_BLOCK elements. */
ck_task ck_fake_quantize_gradient(ck_dtype dtype, ck_isa isa);
/* drange = range_scale · Σ sums. operands: sums, drange [2]. There is one unit. */
ck_task ck_fake_quantize_join(ck_dtype dtype);

/* The least and the greatest of 0 and a block of x. operands: x f32, extremes f32 [units][2]. A unit is CK_BLOCK elements. */
ck_task ck_block_extremes(ck_isa isa);
/* range ← range + (1 − momentum) · (batch − range), or the batch's where the range is 0 … 0. operands: extremes, range f32
 * [2], new range f32 [2], which may be the old one. There is one unit. */
ck_task ck_observe_range(void);

/* Each column n of W [rows, columns] as the multiples in −127 … 127 of max |W[:, n]| / 127. operands: W, y. A unit is
 * CK_FAKE_COLUMNS columns. */
#define CK_FAKE_COLUMNS 16
typedef struct {
    int64_t rows, columns;
} ck_fake_weights_params;
ck_task ck_fake_quantize_weights(ck_dtype dtype, ck_isa isa);
size_t ck_fake_weights_units(const ck_fake_weights_params *params);

#ifdef __cplusplus
}
#endif
#endif
