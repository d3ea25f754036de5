/* Reals to codes and back, tables, sums, pools and softmax of codes: the definition. */
#include <math.h>

#include "../elementwise/flat.h"
#include "../pool/pool_window.h"
#include "codes_tasks.h"
#include "quantize.h"

#define CODES_TASK(name) void name(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane)
#define CODES_FLAT(i) for (size_t i = begin * CK_BLOCK, stop_ = ck_block_stop(end, p->count); i < stop_; i++)

CODES_TASK(ck_quantize_reference) {
    (void)lane;
    const ck_quantize_params *p = params;
    const float *x = operands[0];
    CODES_FLAT(i) ((int8_t *)operands[1])[i] = quantize(x[i] / p->scale, &p->to);
}

CODES_TASK(ck_dequantize_reference) {
    (void)lane;
    const ck_dequantize_params *p = params;
    const int8_t *x = operands[0];
    CODES_FLAT(i) ((float *)operands[1])[i] = p->scale * (float)(x[i] - p->zero);
}

CODES_TASK(ck_lookup_i8_reference) {
    (void)lane;
    const ck_lookup_params *p = params;
    const int8_t *x = operands[0], *table = operands[1];
    CODES_FLAT(i) ((int8_t *)operands[2])[i] = table[x[i] + 128];
}

CODES_TASK(ck_lookup_f32) {
    (void)lane;
    const ck_lookup_params *p = params;
    const int8_t *x = operands[0];
    const float *table = operands[1];
    CODES_FLAT(i) ((float *)operands[2])[i] = table[x[i] + 128];
}

void codes_add_reference(const ck_binary8_params *p, int8_t *y, const int8_t *a, int64_t a_step, const int8_t *b,
                         int64_t b_step, size_t n) {
    for (; n > 0; n--, a += a_step, b += b_step) {
        const float x = (float)(*a - p->a_zero) * p->a_scale;
        *y++ = quantize(x + (float)(*b - p->b_zero) * p->b_scale, &p->to);
    }
}

void codes_mul_reference(const ck_binary8_params *p, int8_t *y, const int8_t *a, int64_t a_step, const int8_t *b,
                         int64_t b_step, size_t n) {
    for (; n > 0; n--, a += a_step, b += b_step)
        *y++ = quantize((float)((*a - p->a_zero) * (*b - p->b_zero)) * p->a_scale, &p->to);
}

static void largest_reference(const int8_t *x, size_t step, size_t n, codes_taps t, int8_t *y, size_t channels) {
    for (; n > 0; n--, x += step, y += channels)
        for (size_t c = 0; c < channels; c++) {
            y[c] = -128;
            for (size_t r = 0; r < t.lines; r++)
                for (size_t s = 0; s < t.count; s++) {
                    const int8_t v = x[c + r * t.down + s * t.across];
                    if (v > y[c]) y[c] = v;
                }
        }
}

static void average_reference(const int8_t *x, codes_taps t, int8_t *y, size_t channels, const ck_avg_pool8_params *p,
                              float scale) {
    for (size_t c = 0; c < channels; c++) {
        uint32_t sum = 0;
        for (size_t r = 0; r < t.lines; r++)
            for (size_t s = 0; s < t.count; s++) sum += (uint32_t)(x[c + r * t.down + s * t.across] - p->zero);
        y[c] = quantize((float)(int32_t)sum * scale, &p->to);
    }
}

#define CODES_NAME(base) base##_reference
#include "codes_windows.inc"

CODES_TASK(ck_softmax8_reference) {
    (void)lane;
    static const ck_quantizer to = {0, 255, -128};
    const ck_softmax8_params *p = params;
    const size_t width = (size_t)p->width;
    const int32_t *table = operands[1];
    for (size_t row = begin; row < end; row++) {
        const int8_t *x = (const int8_t *)operands[0] + row * width;
        int8_t *y = (int8_t *)operands[2] + row * width;
        int32_t largest = -128;
        for (size_t i = 0; i < width; i++) largest = x[i] > largest ? x[i] : largest;
        int64_t sum = 0;
        for (size_t i = 0; i < width; i++) sum += table[largest - x[i]];
        const float scale = 256 / (float)sum;
        for (size_t i = 0; i < width; i++) y[i] = quantize((float)table[largest - x[i]] * scale, &to);
    }
}

CODES_TASK(ck_quantize_rows_reference) {
    (void)lane;
    static const ck_quantizer to = {-127, 127, 0};
    const ck_quantize_rows_params *p = params;
    for (size_t row = begin; row < end; row++) {
        const float *x = (const float *)operands[0] + row * (size_t)p->k;
        int8_t *q = (int8_t *)operands[1] + row * (size_t)p->k;
        float largest = 0;
        for (int64_t k = 0; k < p->k; k++) {
            const float magnitude = x[k] < 0 ? -x[k] : x[k];
            if (magnitude > largest) largest = magnitude;
        }
        const float scale = codes_row_scale(largest);
        for (int64_t k = 0; k < p->k; k++) q[k] = quantize(x[k] * scale, &to);
        ((float *)operands[2])[row] = largest / 127;
    }
}
