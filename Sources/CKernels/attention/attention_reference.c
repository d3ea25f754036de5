#include <math.h>

#include "attention_variants.h"

static float row(float *s, const attention_columns *columns, float scale, int64_t count, int64_t width) {
    float most = -INFINITY, sum = 0;
    for (int64_t j = 0; j < count; j++) {
        s[j] = scale * s[j];
        if (columns->key_scales) s[j] *= columns->key_scales[j];
        if (columns->mask) s[j] += columns->mask[j];
        if (s[j] > most) most = s[j];
    }
    for (int64_t j = 0; j < count; j++) {
        sum += s[j] = expf(s[j] - most);
        if (columns->value_scales) s[j] *= columns->value_scales[j];
    }
    for (int64_t j = count; j < width; j++) s[j] = 0;
    return 1 / sum;
}

static void scale_row(float *y, float factor, int64_t count) {
    for (int64_t j = 0; j < count; j++) y[j] *= factor;
}

void ck_attention_reference(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {
    ck_attention_run(params, operands, begin, end, lane, row, scale_row);
}

void ck_cached_attention_reference(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {
    ck_cached_attention_run(params, operands, begin, end, lane, row, scale_row);
}
