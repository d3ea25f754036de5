#include "../vector/avx2.h"

#if defined(CK_HAVE_ISA)
#include <string.h>

#include "gemm_grid.h"
#include "gemm_variants.h"

/* Vectors stay in registers only if every loop over them is unrolled. */
#define PANELS_UNROLL _Pragma("clang loop unroll(full)")

/* out[k][0 ..< 8] = in[0 ..< 8][k] for 8 values of k; out's rows are CK_PANEL apart. */
V_INLINE void transpose_8x8(float *out, const float *in, int64_t column_stride) {
    __m256 half[8], pair[8];
    PANELS_UNROLL for (int i = 0; i < 4; i++) { /* half[i] = steps 0–3 of columns i and i + 4; half[4 + i] = steps 4–7 */
        const float *low = in + i * column_stride, *high = in + (i + 4) * column_stride;
        half[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high), 1);
        half[4 + i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low + 4)), _mm_loadu_ps(high + 4), 1);
    }
    PANELS_UNROLL for (int h = 0; h < 8; h += 4) {
        pair[h + 0] = _mm256_unpacklo_ps(half[h + 0], half[h + 1]);
        pair[h + 1] = _mm256_unpackhi_ps(half[h + 0], half[h + 1]);
        pair[h + 2] = _mm256_unpacklo_ps(half[h + 2], half[h + 3]);
        pair[h + 3] = _mm256_unpackhi_ps(half[h + 2], half[h + 3]);
        v_store(out + (h + 0) * CK_PANEL, _mm256_shuffle_ps(pair[h + 0], pair[h + 2], 0x44));
        v_store(out + (h + 1) * CK_PANEL, _mm256_shuffle_ps(pair[h + 0], pair[h + 2], 0xee));
        v_store(out + (h + 2) * CK_PANEL, _mm256_shuffle_ps(pair[h + 1], pair[h + 3], 0x44));
        v_store(out + (h + 3) * CK_PANEL, _mm256_shuffle_ps(pair[h + 1], pair[h + 3], 0xee));
    }
}

/* A full panel whose columns are contiguous. */
static void transpose_panel(float *panel, const float *plain, int64_t k, int64_t column_stride) {
    for (; k >= 8; k -= 8, plain += 8, panel += 8 * CK_PANEL) {
        transpose_8x8(panel, plain, column_stride);
        transpose_8x8(panel + 8, plain + 8 * column_stride, column_stride);
    }
    for (; k > 0; k--, plain++, panel += CK_PANEL)
        for (int64_t j = 0; j < CK_PANEL; j++) panel[j] = plain[j * column_stride];
}

/* `count` full panels at once whose rows are contiguous: reads run along a row. */
V_INLINE void copy_panels(float *panel, const float *plain, int64_t k, int64_t row_stride, const int count) {
    const int64_t next = k * CK_PANEL;
    for (; k > 0; k--, plain += row_stride, panel += CK_PANEL)
        PANELS_UNROLL for (int q = 0; q < count; q++) {
            v_store(panel + q * next, v_load(plain + q * CK_PANEL));
            v_store(panel + q * next + 8, v_load(plain + q * CK_PANEL + 8));
        }
}

void ck_pack_f32_avx2(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {
    const ck_panels_params *p = params;
    const float *source = operands[0];
    float *panels = operands[1];
    const int64_t full = p->n / CK_PANEL, count = gemm_ceil_div(p->n, CK_PANEL);
    for (size_t unit = begin; unit < end;) {
        int64_t first = (int64_t)unit % count, run = gemm_min(full - first, (int64_t)(end - unit));
        const float *plain = source + gemm_plain_entry(p, (int64_t)unit / count) + first * CK_PANEL * p->column_stride;
        float *panel = panels + (int64_t)unit * CK_PANEL * p->k;
        if (run >= 4 && p->column_stride == 1) {
            copy_panels(panel, plain, p->k, p->row_stride, 4);
            unit += 4;
        } else if (run >= 1 && p->column_stride == 1) {
            copy_panels(panel, plain, p->k, p->row_stride, 1);
            unit++;
        } else if (run >= 1 && p->row_stride == 1) {
            transpose_panel(panel, plain, p->k, p->column_stride);
            unit++;
        } else {
            ck_pack_f32_reference(params, operands, unit, unit + 1, lane);
            unit++;
        }
    }
}

#include "../vector/end.h"
#endif
