#include <string.h>

#include "../gemm/half.h"
#include "attention_variants.h"

static size_t width_of(const ck_attention_params *p) { return p->cache_dtype == CK_F32 ? 4 : 2; }

static void store(const ck_attention_params *p, void *cache, int64_t index, float x) {
    if (p->cache_dtype == CK_F32) ((float *)cache)[index] = x;
    else ((uint16_t *)cache)[index] = p->cache_dtype == CK_F16 ? half_from_f32(x) : bf16_from_f32(x);
}

/* One element's key and value into a slot of a head's panels. */
static void enter(const ck_attention_params *p, const float *k, const float *v, void *keys, void *values, int64_t slot) {
    for (int64_t d = 0; d < p->size; d++)
        store(p, keys, (slot / CK_PANEL * p->size + d) * CK_PANEL + slot % CK_PANEL, k[d]);
    for (int64_t e = 0; e < p->value_size; e++)
        store(p, values, (e / CK_PANEL * p->keys + slot) * CK_PANEL + e % CK_PANEL, v[e]);
}

size_t ck_cached_attention_units(const ck_attention_params *p) {
    return p->queries <= 0 || p->batch <= 0 || p->heads <= 0 ? 0 : (size_t)(p->batch * p->heads / p->group);
}

void ck_cached_attention_run(const ck_attention_params *p, void *const *operands, size_t begin, size_t end, unsigned lane,
                             attention_row row, attention_scale scale) {
    const float *q = operands[0], *k = operands[1], *v = operands[2];
    int64_t position;
    memcpy(&position, operands[5], sizeof position);
    if (position < 0) position = 0;
    if (position > INT64_MAX / 2) position = INT64_MAX / 2;
    float *y = operands[6];
    const int64_t rows = attention_rows(p), shared_heads = p->heads / p->group;
    const size_t key_bytes = (size_t)ck_panels_size(p->size, p->keys) * width_of(p);
    const size_t value_bytes = (size_t)ck_panels_size(p->keys, p->value_size) * width_of(p);
    float *scores = (float *)operands[9] + rows * attention_pitch(p) * lane;
    for (size_t unit = begin; unit < end; unit++) {
        const int64_t n = (int64_t)unit / shared_heads, shared = (int64_t)unit % shared_heads;
        char *keys = (char *)operands[7] + unit * key_bytes, *values = (char *)operands[8] + unit * value_bytes;
        if (operands[7] != operands[3]) memcpy(keys, (const char *)operands[3] + unit * key_bytes, key_bytes);
        if (operands[8] != operands[4]) memcpy(values, (const char *)operands[4] + unit * value_bytes, value_bytes);
        for (int64_t t = 0, count; t < p->queries; t += count) {
            /* As many elements together as take no slot that one of them still sees. */
            const int64_t at = position + t;
            count = at < p->keys ? attention_least(p->queries - t, p->keys - at) : 1;
            for (int64_t i = t; i < t + count; i++)
                enter(p, k + ((n * p->queries + i) * shared_heads + shared) * p->size,
                      v + ((n * p->queries + i) * shared_heads + shared) * p->value_size, keys, values,
                      (position + i) % p->keys);
            for (int64_t head = shared * p->group; head < (shared + 1) * p->group; head++) {
                for (int64_t first = t; first < t + count; first += rows) {
                    const int64_t height = attention_least(rows, t + count - first);
                    const attention_block block = {
                        .query = q + ((n * p->queries + first) * p->heads + head) * p->size,
                        .result = y + ((n * p->queries + first) * p->heads + head) * p->value_size,
                        .keys = keys, .values = values, .count = height, .causal = 1,
                        .seen = attention_least(position + first + height, p->keys), .scores = scores};
                    attention_attend(p, &block, row, scale);
                }
            }
        }
    }
}

ck_task ck_cached_attention(ck_dtype cache, ck_isa isa) {
    if (cache != CK_F32 && cache != CK_F16 && cache != CK_BF16) return NULL;
#if defined(__x86_64__)
    if (isa == CK_ISA_AVX512) return ck_cached_attention_avx512;
    if (isa == CK_ISA_AVX2) return ck_cached_attention_avx2;
#endif
    (void)isa;
    return ck_cached_attention_reference;
}
