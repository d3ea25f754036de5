#include "attention_variants.h"

#define TILE_BYTES (64 << 10) /* of scores that a block of queries keeps, where that is 12 rows or more */
#define TALLEST 96

static int64_t round_up(int64_t a, int64_t step) { return (a + step - 1) / step * step; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Floats between the scores of one query and the next. */
static int64_t pitch(const ck_attention_params *p) { return round_up(p->keys, CK_PANEL); }

/* Queries a unit: whole register tiles of 12. */
static int64_t block(const ck_attention_params *p) {
    int64_t rows = TILE_BYTES / (int64_t)sizeof(float) / (p->keys > 0 ? pitch(p) : 1) / 12 * 12;
    rows = rows < 12 ? 12 : least(rows, TALLEST);
    return p->queries < 1 ? 1 : least(rows, p->queries);
}

size_t ck_attention_units(const ck_attention_params *p) {
    if (p->queries <= 0 || p->batch <= 0 || p->heads <= 0) return 0;
    const int64_t rows = block(p);
    return (size_t)(p->batch * p->heads * ((p->queries + rows - 1) / rows));
}

size_t ck_attention_workspace(const ck_attention_params *p, int lanes) {
    return (size_t)(block(p) * pitch(p)) * sizeof(float) * (size_t)lanes;
}

void ck_attention_run(const ck_attention_params *p, void *const *operands, size_t begin, size_t end, unsigned lane,
                      attention_row row, attention_scale scale) {
    const float *q = *operands++, *k = *operands++, *v = *operands++, *mask = p->has_mask ? *operands++ : NULL;
    float *y = *operands++;
    const int64_t width = pitch(p), rows = block(p), blocks = (p->queries + rows - 1) / rows;
    const int64_t key_panels = ck_panels_size(p->size, p->keys), value_panels = ck_panels_size(p->keys, p->value_size);
    float *scores = (float *)*operands + rows * width * lane;
    for (int64_t unit = (int64_t)begin; unit < (int64_t)end; unit++) {
        const int64_t n = unit / blocks / p->heads, head = unit / blocks % p->heads;
        const int64_t first = unit % blocks * rows, count = least(rows, p->queries - first);
        const int64_t shared = n * (p->heads / p->group) + head / p->group;
        const int64_t hidden = p->causal ? p->queries - p->keys : 0; /* query i sees i + 1 − hidden keys */
        int64_t seen = p->causal ? least(p->keys, first + count - hidden) : p->keys;
        if (seen < 0) seen = 0;
        const float *query = q + ((n * p->queries + first) * p->heads + head) * p->size;
        float *result = y + ((n * p->queries + first) * p->heads + head) * p->value_size;

        /* Whole panels: what they hold past the keys is zero, and no score of it is read. */
        const ck_gemm_params dot = {
            .m = count, .n = round_up(seen, CK_PANEL), .k = p->size, .a_row_stride = p->heads * p->size, .a_k_stride = 1,
            .c_row_stride = width, .batch = 1};
        p->product(&dot, (void *[]){(void *)query, (void *)(k + shared * key_panels), scores}, 0, ck_gemm_units(&dot), 0);
        float inverse[TALLEST];
        for (int64_t r = 0; r < count; r++) {
            const int64_t i = first + r;
            int64_t sees = p->causal ? least(seen, i + 1 - hidden) : seen;
            const float *m = mask ? mask + n * p->mask_batch_stride + head * p->mask_head_stride + i * p->mask_query_stride
                                  : NULL;
            inverse[r] = row(scores + r * width, m, p->scale, sees < 0 ? 0 : sees, seen);
        }
        const ck_gemm_params sum = {
            .m = count, .n = p->value_size, .k = seen, .b_rows = p->keys, .a_row_stride = width, .a_k_stride = 1,
            .c_row_stride = p->heads * p->value_size, .batch = 1};
        p->product(&sum, (void *[]){scores, (void *)(v + shared * value_panels), result}, 0, ck_gemm_units(&sum), 0);
        for (int64_t r = 0; r < count; r++) scale(result + r * p->heads * p->value_size, inverse[r], p->value_size);
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
