#include <math.h>
#include <string.h>

#include "../gemm/half.h"
#include "attention_variants.h"

static size_t width_of(const ck_attention_params *p) {
    return p->cache_dtype == CK_F32 ? 4 : p->cache_dtype == CK_I8 ? 1 : 2;
}

/* To the nearest integer, ties to even, within ±127. */
static int8_t code(float x) {
    x = x < -127 ? -127 : x > 127 ? 127 : x;
    return (int8_t)((x + 0x1.8p23f) - 0x1.8p23f);
}

/* x / scale into elements of a cache, 0 where the scale is 0: the first at `first`, each `step` after the one before. */
static void store(ck_dtype dtype, void *cache, int64_t first, int64_t step, const float *x, float scale, int64_t count) {
    float *whole = cache;
    uint16_t *half = cache;
    int8_t *codes = cache;
    for (int64_t i = 0, at = first; i < count; i++, at += step) {
        if (dtype == CK_F32) whole[at] = x[i];
        else if (dtype == CK_I8) codes[at] = code(scale > 0 ? x[i] / scale : 0);
        else half[at] = dtype == CK_F16 ? half_from_f32(x[i]) : bf16_from_f32(x[i]);
    }
}

/* What 1 stands for in the codes of x: NaN where an element is not finite. */
static float scale_of(const float *x, int64_t count) {
    float most = 0, rest = 0;
    for (int64_t i = 0; i < count; i++) {
        if (fabsf(x[i]) > most) most = fabsf(x[i]);
        rest += x[i] - x[i];
    }
    return most / 127 + rest;
}

/* One element's key and value into a slot of a head's panels, and their scales beside them if there are any. */
static void enter(const ck_attention_params *p, const float *k, const float *v, char *const *rings, int64_t slot) {
    float key_scale = 1, value_scale = 1;
    if (p->cache_dtype == CK_I8) {
        ((float *)rings[2])[slot] = key_scale = scale_of(k, p->size);
        ((float *)rings[3])[slot] = value_scale = scale_of(v, p->value_size);
    }
    store(p->cache_dtype, rings[0], slot / CK_PANEL * p->size * CK_PANEL + slot % CK_PANEL, CK_PANEL, k, key_scale, p->size);
    for (int64_t e = 0; e < p->value_size; e += CK_PANEL)
        store(p->cache_dtype, rings[1], (e / CK_PANEL * p->keys + slot) * CK_PANEL, 1, v + e, value_scale,
              attention_least(CK_PANEL, p->value_size - e));
}

size_t ck_cached_attention_units(const ck_attention_params *p) {
    return p->queries <= 0 || p->batch <= 0 || p->heads <= 0 ? 0 : (size_t)(p->batch * p->heads / p->group);
}

void ck_cached_attention_run(const ck_attention_params *p, void *const *operands, size_t begin, size_t end, unsigned lane,
                             const attention_loops *loops) {
    const float *q = operands[0], *k = operands[1], *v = operands[2];
    int64_t position;
    memcpy(&position, operands[5], sizeof position);
    if (position < 0) position = 0;
    if (position > INT64_MAX / 2) position = INT64_MAX / 2;
    /* keys, values; with codes their scales too */
    const int kinds = p->cache_dtype == CK_I8 ? 4 : 2;
    const size_t bytes[] = {
        (size_t)ck_panels_size(p->size, p->keys) * width_of(p), (size_t)ck_panels_size(p->keys, p->value_size) * width_of(p),
        (size_t)p->keys * sizeof(float), (size_t)p->keys * sizeof(float)};
    void *const before[] = {operands[3], operands[4], operands[6], operands[7]};
    void *const *results = operands + 4 + kinds;
    float *y = *results++;
    const int64_t rows = attention_rows(p), shared_heads = p->heads / p->group;
    float *scores = (float *)results[kinds] + rows * attention_pitch(p) * lane;
    for (size_t unit = begin; unit < end; unit++) {
        const int64_t n = (int64_t)unit / shared_heads, shared = (int64_t)unit % shared_heads;
        char *rings[4] = {NULL, NULL, NULL, NULL};
        for (int kind = 0; kind < kinds; kind++) {
            rings[kind] = (char *)results[kind] + unit * bytes[kind];
            if (results[kind] != before[kind]) memcpy(rings[kind], (const char *)before[kind] + unit * bytes[kind], bytes[kind]);
        }
        for (int64_t t = 0, count; t < p->queries; t += count) {
            /* As many elements together as take no slot that one of them still sees. */
            const int64_t at = position + t;
            count = at < p->keys ? attention_least(p->queries - t, p->keys - at) : 1;
            for (int64_t i = t; i < t + count; i++)
                enter(p, k + ((n * p->queries + i) * shared_heads + shared) * p->size,
                      v + ((n * p->queries + i) * shared_heads + shared) * p->value_size, rings, (position + i) % p->keys);
            for (int64_t head = shared * p->group; head < (shared + 1) * p->group; head++) {
                for (int64_t first = t; first < t + count; first += rows) {
                    const int64_t height = attention_least(rows, t + count - first);
                    const attention_block block = {
                        .query = q + ((n * p->queries + first) * p->heads + head) * p->size,
                        .result = y + ((n * p->queries + first) * p->heads + head) * p->value_size,
                        .keys = rings[0], .values = rings[1], .count = height, .causal = 1,
                        .key_scales = (float *)rings[2], .value_scales = (float *)rings[3],
                        .seen = attention_least(position + first + height, p->keys), .scores = scores};
                    attention_attend(p, &block, loops);
                }
            }
        }
    }
}

ck_task ck_cached_attention(ck_dtype cache, ck_isa isa) {
    if (cache != CK_F32 && cache != CK_F16 && cache != CK_BF16 && cache != CK_I8) return NULL;
#if defined(__x86_64__)
    if (isa == CK_ISA_AVX512) return ck_cached_attention_avx512;
    if (isa == CK_ISA_AVX2) return ck_cached_attention_avx2;
#endif
    (void)isa;
    return ck_cached_attention_reference;
}
