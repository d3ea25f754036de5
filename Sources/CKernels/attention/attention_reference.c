#include <math.h>

#include "attention_variants.h"

static void adjust(float *s, float scale, const float *key_scales, const float *mask, int64_t count) {
    for (int64_t j = 0; j < count; j++) {
        s[j] = scale * s[j];
        if (key_scales) s[j] *= key_scales[j];
        if (mask) s[j] += mask[j];
    }
}

static float greatest(const float *s, int64_t count) {
    float most = -INFINITY;
    for (int64_t j = 0; j < count; j++)
        if (s[j] > most) most = s[j];
    return most;
}

static float weigh(float *s, float scale, float most, const float *value_scales, int64_t count, int64_t width) {
    float sum = 0;
    for (int64_t j = 0; j < count; j++) {
        sum += s[j] = expf(scale * (s[j] - most));
        if (value_scales) s[j] *= value_scales[j];
    }
    for (int64_t j = count; j < width; j++) s[j] = 0;
    return 1 / sum;
}

static void multiply(float *y, int64_t pitch, const float *factors, int64_t rows, int64_t count) {
    for (int64_t r = 0; r < rows; r++, y += pitch)
        for (int64_t j = 0; j < count; j++) y[j] *= factors[r];
}

static const attention_loops loops = {adjust, greatest, weigh, multiply};

void ck_attention_reference(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {
    ck_attention_run(params, operands, begin, end, lane, &loops);
}

void ck_cached_attention_reference(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {
    ck_cached_attention_run(params, operands, begin, end, lane, &loops);
}
