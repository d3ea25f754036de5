/* What the files of this family that work on codes one by one share. */
#ifndef CK_QUANTIZED_CODES_TASKS_H
#define CK_QUANTIZED_CODES_TASKS_H

#include "../pool/pool_window.h"
#include "quantized_tasks.h"

/* y[i] = f(a[i · a_step], b[i · b_step]) for i in 0 ..< n; the steps are 0 or 1. */
typedef void codes_binary_row(const ck_binary8_params *p, int8_t *y, const int8_t *a, int64_t a_step, const int8_t *b,
                              int64_t b_step, size_t n);
/* The taps of a window inside X, from its first: how many lines and how far apart, likewise in a line. */
typedef struct {
    size_t lines, down, count, across;
} codes_taps;

#define CODES_TASKS(isa)                                                                     \
    QUANTIZED_TASK(ck_quantize_##isa); QUANTIZED_TASK(ck_dequantize_##isa);                  \
    QUANTIZED_TASK(ck_lookup_i8_##isa); QUANTIZED_TASK(ck_quantize_rows_##isa);              \
    QUANTIZED_TASK(ck_weight_only_i8_##isa); QUANTIZED_TASK(ck_weight_only_i4_##isa);        \
    QUANTIZED_TASK(ck_weight_only_codes_##isa);                                             \
    QUANTIZED_TASK(ck_weight_only_gather_i8_##isa); QUANTIZED_TASK(ck_weight_only_gather_i4_##isa); \
    QUANTIZED_TASK(ck_max_pool8_##isa); QUANTIZED_TASK(ck_avg_pool8_##isa);                  \
    codes_binary_row codes_add_##isa, codes_mul_##isa

CODES_TASKS(reference);
#if defined(__x86_64__)
CODES_TASKS(avx2);
CODES_TASKS(avx512);
QUANTIZED_TASK(ck_lookup_i8_vbmi);
#endif
QUANTIZED_TASK(ck_lookup_f32);
QUANTIZED_TASK(ck_softmax8_reference);

static inline __attribute__((unused)) float codes_pool_scale(const ck_avg_pool8_params *a, pool_taps rows,
                                                             pool_taps columns) {
    return (float)(a->numerator / (a->denominator * (double)pool_divisor(&a->window, rows, columns)));
}

/* What a row of reals is multiplied by, of its greatest magnitude. */
static inline __attribute__((unused)) float codes_row_scale(float largest) {
    return largest < 0x1p-100f ? 0 : 127 / largest;
}
#endif
