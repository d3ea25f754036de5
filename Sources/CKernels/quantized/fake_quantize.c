/* Choosers of fake quantization, and what runs once. */
#include "fake_quantize_tasks.h"

#if defined(__x86_64__)
#define CHOOSE(base, isa) (isa == CK_ISA_AVX512 ? base##_avx512 : isa == CK_ISA_AVX2 ? base##_avx2 : base##_f32)
#else
#define CHOOSE(base, isa) ((void)(isa), base##_f32)
#endif
#define CHOOSE_TYPE(base, dtype, isa) (dtype == CK_F32 ? CHOOSE(base, isa) : dtype == CK_F64 ? base##_f64 : NULL)

ck_task ck_fake_quantize(ck_dtype dtype, ck_isa isa) { return CHOOSE_TYPE(fake_quantize, dtype, isa); }
ck_task ck_fake_quantize_gradient(ck_dtype dtype, ck_isa isa) { return CHOOSE_TYPE(fake_gradient, dtype, isa); }
ck_task ck_fake_quantize_weights(ck_dtype dtype, ck_isa isa) { return CHOOSE_TYPE(fake_weights, dtype, isa); }
ck_task ck_block_extremes(ck_isa isa) { return CHOOSE(block_extremes, isa); }

size_t ck_fake_weights_units(const ck_fake_weights_params *p) {
    return p->rows > 0 && p->columns > 0 ? ((size_t)p->columns + CK_FAKE_COLUMNS - 1) / CK_FAKE_COLUMNS : 0;
}

void ck_code_scale(double low, double high, float *scale, int32_t *zero) {
    const fake_codes codes = fake_codes_of(low, high, 1);
    *scale = (float)codes.scale;
    *zero = (int32_t)(127 - codes.high);
}

#define JOIN(T, name)                                                                           \
    static FAKE_TASK(name) {                                                                    \
        (void)begin, (void)end, (void)lane;                                                     \
        const ck_fake_quantize_params *p = params;                                              \
        const double *sums = operands[0];                                                       \
        double low = 0, high = 0;                                                               \
        for (size_t block = 0; block < ck_block_count(p->count); block++)                       \
            low += sums[2 * block], high += sums[2 * block + 1];                                \
        ((T *)operands[1])[0] = (T)(low * p->range_scale);                                      \
        ((T *)operands[1])[1] = (T)(high * p->range_scale);                                     \
    }
JOIN(float, join_f32)
JOIN(double, join_f64)
ck_task ck_fake_quantize_join(ck_dtype dtype) { return dtype == CK_F32 ? join_f32 : dtype == CK_F64 ? join_f64 : NULL; }

static FAKE_TASK(observe_range) {
    (void)begin, (void)end, (void)lane;
    const ck_fake_quantize_params *p = params;
    const float *extremes = operands[0], *old = operands[1];
    float *range = operands[2], batch[2] = {0, 0};
    for (size_t block = 0; block < ck_block_count(p->count); block++) {
        batch[0] = extremes[2 * block] < batch[0] ? extremes[2 * block] : batch[0];
        batch[1] = extremes[2 * block + 1] > batch[1] ? extremes[2 * block + 1] : batch[1];
    }
    const int is_first = old[0] == 0 && old[1] == 0;
    for (int i = 0; i < 2; i++) {
        const double step = ((double)batch[i] - (double)old[i]) * (1 - p->momentum);
        range[i] = is_first ? batch[i] : (float)((double)old[i] + step);
    }
}
ck_task ck_observe_range(void) { return observe_range; }
