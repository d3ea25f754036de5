#include <math.h>

#include "attention_variants.h"

static void row(float *s, float *d, const float *mask, float scale, int64_t count, int64_t width) {
    float most = -INFINITY, sum = 0, mean = 0;
    for (int64_t j = 0; j < count; j++) {
        s[j] = scale * s[j];
        if (mask) s[j] += mask[j];
        if (s[j] > most) most = s[j];
    }
    for (int64_t j = 0; j < count; j++) {
        s[j] = expf(s[j] - most);
        sum += s[j];
        mean += s[j] * d[j];
    }
    const float inverse = 1 / sum;
    mean *= inverse;
    for (int64_t j = 0; j < count; j++) {
        s[j] *= inverse;
        d[j] = scale * (s[j] * (d[j] - mean));
    }
    for (int64_t j = count; j < width; j++) s[j] = d[j] = 0;
}

void ck_attention_gradient_reference(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {
    ck_attention_gradient_run(params, operands, begin, end, lane, row);
}
