/* What the files of fake quantization share. */
#ifndef CK_FAKE_QUANTIZE_TASKS_H
#define CK_FAKE_QUANTIZE_TASKS_H

#include "../elementwise/flat.h"
#include "ck_fake_quantize.h"

#define FAKE_TASK(name) void name(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane)
#define FAKE_TASKS(variant) \
    FAKE_TASK(fake_quantize_##variant); FAKE_TASK(fake_gradient_##variant); FAKE_TASK(fake_weights_##variant)

FAKE_TASKS(f32);
FAKE_TASKS(f64);
FAKE_TASK(block_extremes_f32);
#if defined(__x86_64__)
FAKE_TASKS(avx2);
FAKE_TASKS(avx512);
FAKE_TASK(block_extremes_avx2);
FAKE_TASK(block_extremes_avx512);
#endif

/* s and the bounds −128 − z and 127 − z of x / s. */
typedef struct {
    double scale, low, high;
} fake_codes;

static inline fake_codes fake_codes_of(double low, double high, int is_single) {
    low = low < 0 ? low : 0;
    high = high > 0 ? high : 0;
    double scale = (high - low) / 255;
    scale = scale > 1e-30 ? scale : 1e-30;
    if (is_single) scale = (double)(float)scale;
    double zero = (-128 - low / scale + 0x1.8p52) - 0x1.8p52;
    zero = zero > -128 ? zero < 127 ? zero : 127 : -128;
    return (fake_codes){scale, -128 - zero, 127 - zero};
}
#endif
