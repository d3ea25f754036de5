#include <string.h>

#include "recurrent_variants.h"

#define BLOCK 12 /* batch entries a unit: the rows of the tallest tile of a product */

size_t ck_recurrent_units(const ck_recurrent_params *p) { return (size_t)((p->batch + BLOCK - 1) / BLOCK); }

/* Of one lane: the gates of a block, and a matrix beside them. */
static size_t scratch(const ck_recurrent_params *p) {
    return (size_t)(BLOCK * p->hidden * (ck_recurrent_gates(p->cell) + 1));
}

size_t ck_recurrent_workspace(const ck_recurrent_params *p, int lanes) {
    return scratch(p) * sizeof(float) * (size_t)lanes;
}

static int64_t length_at(const ck_recurrent_params *p, const void *lengths, int64_t row) {
    if (!p->has_lengths) return p->time;
    return p->length_dtype == CK_I32 ? ((const int32_t *)lengths)[row] : ((const int64_t *)lengths)[row];
}

static void start(float *state, const float *initial, int64_t first, int64_t count) {
    if (initial) memcpy(state, initial + first, (size_t)count * sizeof(float));
    else memset(state, 0, (size_t)count * sizeof(float));
}

/* c[m][batch·n at c_row] += a[m][hidden]·R from gate `gate` on; a bias instead of c where there is one. */
static void multiply(const ck_recurrent_params *p, const float *a, const float *panels, int64_t gate, int64_t gates,
                     const float *bias, float *c, int64_t c_row, int64_t m) {
    ck_gemm_params product = {
        .m = m, .n = p->hidden, .k = p->hidden, .a_row_stride = p->hidden, .a_k_stride = 1, .c_row_stride = c_row,
        .batch = gates, .b_batch_stride = ck_panels_size(p->hidden, p->hidden), .c_batch_stride = p->hidden,
        .has_bias = bias != NULL, .accumulate = bias == NULL,
    };
    const float *b = panels + gate * product.b_batch_stride;
    void *with_bias[] = {(void *)a, (void *)b, (void *)bias, c}, *without[] = {(void *)a, (void *)b, c};
    p->product(&product, bias ? with_bias : without, 0, ck_gemm_units(&product), 0);
}

void ck_recurrent_run(const ck_recurrent_params *p, void *const *operands, size_t begin, size_t end, unsigned lane,
                      const ck_recurrent_rows *rows) {
    const int64_t n = p->hidden, gate_count = ck_recurrent_gates(p->cell), width = gate_count * n;
    const float *x = *operands++, *panels = *operands++;
    const float *bias = p->reset_after ? *operands++ : NULL;
    const void *lengths = p->has_lengths ? *operands++ : NULL;
    const float *h_start = p->has_state ? *operands++ : NULL;
    const float *c_start = p->has_state && p->cell == CK_LSTM ? *operands++ : NULL;
    float *y = *operands++, *h_end = *operands++, *c_end = p->cell == CK_LSTM ? *operands++ : NULL;
    float *gates = (float *)*operands + scratch(p) * lane, *beside = gates + BLOCK * width;
    for (int64_t unit = (int64_t)begin; unit < (int64_t)end; unit++) {
        const int64_t first = unit * BLOCK, count = p->batch - first < BLOCK ? p->batch - first : BLOCK;
        float *h = h_end + first * n, *c = c_end ? c_end + first * n : NULL;
        start(h, h_start, first * n, count * n);
        if (c) start(c, c_start, first * n, count * n);
        for (int64_t step = 0; step < p->time; step++) {
            const int64_t t = p->reverse ? p->time - 1 - step : step;
            const float *x_t = x + first * p->x_row_stride + t * p->x_time_stride;
            float *y_t = y + first * p->y_row_stride + t * p->y_time_stride;
            for (int64_t r = 0; r < count; r++)
                memcpy(gates + r * width, x_t + r * p->x_row_stride, (size_t)width * sizeof(float));
            multiply(p, h, panels, 0, p->cell == CK_GRU ? 2 : gate_count, NULL, gates, width, count);
            if (p->cell == CK_GRU) {
                for (int64_t r = 0; r < count; r++) rows->gru_reset(gates + r * width, h + r * n, beside + r * n, (size_t)n);
                if (bias) multiply(p, h, panels, 2, 1, bias, beside, n, count);
                else multiply(p, beside, panels, 2, 1, NULL, gates + 2 * n, width, count);
            }
            for (int64_t r = 0; r < count; r++) {
                float *to = y_t + r * p->y_row_stride, *state = h + r * n, *gate = gates + r * width;
                if (t >= length_at(p, lengths, first + r)) {
                    memset(to, 0, (size_t)n * sizeof(float));
                    continue;
                }
                if (p->cell == CK_LSTM) rows->lstm(gate, state, c + r * n, (size_t)n);
                else if (p->cell == CK_GRU) rows->gru(gate, bias ? beside + r * n : NULL, state, (size_t)n);
                else rows->rnn(&p->activation, gate, state, (size_t)n);
                memcpy(to, state, (size_t)n * sizeof(float));
            }
        }
    }
}

ck_task ck_recurrent(ck_dtype dtype, ck_isa isa) {
    if (dtype != CK_F32) return NULL;
#if defined(__x86_64__)
    if (isa == CK_ISA_AVX512) return ck_recurrent_avx512;
    if (isa == CK_ISA_AVX2) return ck_recurrent_avx2;
#endif
    (void)isa;
    return ck_recurrent_reference;
}
