#include "attention_variants.h"

#define TILE_BYTES (64 << 10) /* of scores that a block of queries keeps, where that is 12 rows or more */

static int64_t round_up(int64_t a, int64_t step) { return (a + step - 1) / step * step; }

int64_t attention_pitch(const ck_attention_params *p) { return round_up(p->keys, CK_PANEL); }

int64_t attention_rows(const ck_attention_params *p) {
    int64_t rows = TILE_BYTES / (int64_t)sizeof(float) / (p->keys > 0 ? attention_pitch(p) : 1) / 12 * 12;
    rows = rows < 12 ? 12 : attention_least(rows, p->causal ? ATTENTION_CAUSAL_TALLEST : ATTENTION_TALLEST);
    return p->queries < 1 ? 1 : attention_least(rows, p->queries);
}

size_t ck_attention_workspace(const ck_attention_params *p, int lanes) {
    /* Not attention_rows(p), of which fewer keys have more. */
    const int64_t pitch = attention_pitch(p), tile = TILE_BYTES / (int64_t)sizeof(float);
    const int64_t tallest = attention_least(p->queries < 1 ? 1 : p->queries, ATTENTION_TALLEST) * pitch;
    return (size_t)attention_least(tallest, tile > 12 * pitch ? tile : 12 * pitch) * sizeof(float) * (size_t)lanes;
}

void attention_attend(const ck_attention_params *p, const attention_block *b, const attention_loops *loops) {
    const int64_t width = attention_pitch(p), seen = b->seen < 0 ? 0 : b->seen;

    /* Whole panels: no score of what they hold past the keys is read. */
    const ck_gemm_params dot = {
        .m = b->count, .n = round_up(seen, CK_PANEL), .k = p->size, .a_row_stride = p->heads * p->size, .a_k_stride = 1,
        .c_row_stride = width, .batch = 1};
    p->product(&dot, (void *[]){(void *)b->query, (void *)b->keys, b->scores}, 0, ck_gemm_units(&dot), 0);
    const int adjusted = b->mask || b->key_scales || !(p->scale >= 0);
    float inverse[ATTENTION_TALLEST];
    for (int64_t first = 0, end; first < b->count; first = end) {
        end = attention_least(first + ATTENTION_TOGETHER, b->count);
        int64_t sees[ATTENTION_TOGETHER];
        float most[ATTENTION_TOGETHER], *s = b->scores + first * width;
        for (int64_t r = first, i = 0; r < end; r++, i++) {
            sees[i] = b->causal ? b->seen - (b->count - 1 - r) : seen;
            if (sees[i] < 0) sees[i] = 0;
            if (adjusted)
                loops->adjust(s + i * width, p->scale, b->key_scales, b->mask ? b->mask + r * b->mask_stride : NULL, sees[i]);
            most[i] = loops->greatest(s + i * width, sees[i]);
        }
        for (int64_t r = first, i = 0; r < end; r++, i++)
            inverse[r] = loops->weigh(s + i * width, adjusted ? 1 : p->scale, most[i], b->value_scales, sees[i], seen);
    }
    const ck_gemm_params sum = {
        .m = b->count, .n = p->value_size, .k = seen, .b_rows = p->keys, .a_row_stride = width, .a_k_stride = 1,
        .c_row_stride = p->heads * p->value_size, .batch = 1};
    p->product(&sum, (void *[]){b->scores, (void *)b->values, b->result}, 0, ck_gemm_units(&sum), 0);
    loops->multiply(b->result, p->heads * p->value_size, inverse, b->count, p->value_size);
}

size_t ck_attention_units(const ck_attention_params *p) {
    if (p->queries <= 0 || p->batch <= 0 || p->heads <= 0) return 0;
    const int64_t rows = attention_rows(p);
    return (size_t)(p->batch * p->heads * ((p->queries + rows - 1) / rows));
}

void ck_attention_run(const ck_attention_params *p, void *const *operands, size_t begin, size_t end, unsigned lane,
                      const attention_loops *loops) {
    const float *q = *operands++, *k = *operands++, *v = *operands++, *mask = p->has_mask ? *operands++ : NULL;
    float *y = *operands++;
    const int64_t rows = attention_rows(p), blocks = (p->queries + rows - 1) / rows;
    const int64_t key_panels = ck_panels_size(p->size, p->keys), value_panels = ck_panels_size(p->keys, p->value_size);
    float *scores = (float *)*operands + rows * attention_pitch(p) * lane;
    for (int64_t unit = (int64_t)begin; unit < (int64_t)end; unit++) {
        const int64_t n = unit / blocks / p->heads, head = unit / blocks % p->heads;
        const int64_t first = unit % blocks * rows, count = attention_least(rows, p->queries - first);
        const int64_t shared = n * (p->heads / p->group) + head / p->group;
        const float *m = mask ? mask + n * p->mask_batch_stride + head * p->mask_head_stride + first * p->mask_query_stride
                              : NULL;
        const attention_block block = {
            .query = q + ((n * p->queries + first) * p->heads + head) * p->size,
            .result = y + ((n * p->queries + first) * p->heads + head) * p->value_size,
            .keys = k + shared * key_panels, .values = v + shared * value_panels,
            .mask = m, .mask_stride = p->mask_query_stride, .count = count, .causal = p->causal,
            .seen = p->causal ? attention_least(p->keys, first + count + p->keys - p->queries) : p->keys, .scores = scores};
        attention_attend(p, &block, loops);
    }
}

ck_task ck_attention(ck_dtype dtype, ck_isa isa) {
    if (dtype == CK_F64) return CK_F64_TASK(ck_attention_f64);
    if (dtype != CK_F32) return NULL;
#if defined(__x86_64__)
    if (isa == CK_ISA_AVX512) return ck_attention_avx512;
    if (isa == CK_ISA_AVX2) return ck_attention_avx2;
#endif
    (void)isa;
    return ck_attention_reference;
}
