/* Packing and product by AVX512_BF16, which adds the products of a pair to a sum one after the other, the upper one first. For
 * sums over even and over odd k apart, as the contract has them, pairs are of every second k: of four k the first pair is
 * (2, 0), the other (3, 1), lower half first. */
#define CK_PAIRS 1
#include "../vector/avx512.h"

#if defined(CK_HAVE_ISA) && !defined(APUS_INFERENCE)
#include "mixed_tiles.h"

#define MIXED_NAME(base) base##_avx512_bf16
#define MIXED_UNROLL _Pragma("clang loop unroll(full)")

static inline void mixed_tile_along_k(const float *x, int64_t stride, uint32_t *tile) {
    const __m512i order = _mm512_broadcast_i32x4(_mm_setr_epi8(4, 5, 0, 1, 6, 7, 2, 3, 12, 13, 8, 9, 14, 15, 10, 11));
    for (int line = 0; line < CK_MIXED_LINES; line++, x += stride, tile += MIXED_PAIRS) {
        const __m512bh k = _mm512_cvtne2ps_pbh(v_load(x + V_WIDTH), v_load(x));
        _mm512_storeu_si512(tile, _mm512_shuffle_epi8((__m512i)k, order));
    }
}

static inline void mixed_tile_across_k(const float *x, int64_t stride, uint32_t *tile) {
    static const uint16_t order[32] = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
                                       8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    const __m512i interleave = _mm512_loadu_si512(order);
    for (int k = 0; k < CK_MIXED_DEPTH; k += 4, x += 4 * stride, tile += 2 * CK_MIXED_LINES) {
        const vf x0 = v_load(x), x1 = v_load(x + stride), x2 = v_load(x + 2 * stride), x3 = v_load(x + 3 * stride);
        _mm512_storeu_si512(tile, _mm512_permutexvar_epi16(interleave, (__m512i)_mm512_cvtne2ps_pbh(x0, x2)));
        _mm512_storeu_si512(tile + CK_MIXED_LINES, _mm512_permutexvar_epi16(interleave, (__m512i)_mm512_cvtne2ps_pbh(x1, x3)));
    }
}

#include "mixed_pack.inc"

#define MIXED_HEIGHT 4 /* rows × two strips of columns: sums over even k, over odd k, and over both in registers */

/* c = start + the product of MIXED_HEIGHT rows and `strips` strips. */
V_INLINE void mixed_sums(const uint32_t *a, const uint32_t *b, int64_t strip, const float *start, float *c, int64_t pitch,
                         const int strips) {
    vf sum[MIXED_HEIGHT][2];
    MIXED_UNROLL for (int i = 0; i < MIXED_HEIGHT; i++)
        MIXED_UNROLL for (int j = 0; j < strips; j++) sum[i][j] = v_load(start + j * CK_MIXED_LINES);
    for (int64_t t = strip; t > 0; t -= MIXED_TILE, a += MIXED_TILE, b += MIXED_TILE) {
        vf part[2][MIXED_HEIGHT][2];
        MIXED_UNROLL for (int pair = 0; pair < MIXED_PAIRS; pair++) {
            __m512bh y[2];
            MIXED_UNROLL for (int j = 0; j < strips; j++)
                y[j] = (__m512bh)_mm512_loadu_si512(b + j * strip + pair * CK_MIXED_LINES);
            MIXED_UNROLL for (int i = 0; i < MIXED_HEIGHT; i++) {
                const __m512bh x = (__m512bh)_mm512_set1_epi32((int32_t)a[i * MIXED_PAIRS + pair]);
                MIXED_UNROLL for (int j = 0; j < strips; j++) {
                    vf *to = &part[pair % 2][i][j];
                    *to = _mm512_dpbf16_ps(pair < 2 ? v_zero() : *to, x, y[j]);
                }
            }
        }
        MIXED_UNROLL for (int i = 0; i < MIXED_HEIGHT; i++)
            MIXED_UNROLL for (int j = 0; j < strips; j++) sum[i][j] = v_add(sum[i][j], v_add(part[0][i][j], part[1][i][j]));
    }
    MIXED_UNROLL for (int i = 0; i < MIXED_HEIGHT; i++)
        MIXED_UNROLL for (int j = 0; j < strips; j++) v_store(c + i * pitch + j * CK_MIXED_LINES, sum[i][j]);
}

void ck_mixed_avx512_bf16(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) {
    const ck_mixed_params *p = params;
    const int64_t strip = mixed_strip(p->k);
    (void)lane;
    for (size_t unit = begin; unit < end; unit++) {
        const mixed_block block = mixed_block_at(p, operands, unit);
        for (int64_t j = 0, columns; j < block.columns; j += columns) {
            const int strips = block.columns - j > CK_MIXED_LINES ? 2 : 1;
            columns = mixed_min(strips * CK_MIXED_LINES, block.columns - j);
            const uint32_t *b = block.b + j / CK_MIXED_LINES * strip;
            float start[2 * CK_MIXED_LINES];
            for (int s = 0; s < strips; s++)
                mixed_begin(p, operands, block.column + j + s * CK_MIXED_LINES, start + s * CK_MIXED_LINES);
            for (int64_t i = 0; i < block.rows; i += MIXED_HEIGHT) {
                const int64_t rows = mixed_min(MIXED_HEIGHT, block.rows - i);
                const uint32_t *a = block.a + i / CK_MIXED_LINES * strip + i % CK_MIXED_LINES * MIXED_PAIRS;
                float apart[MIXED_HEIGHT * 2 * CK_MIXED_LINES], *c = block.c + i * p->c_row_stride + j;
                const int whole = rows == MIXED_HEIGHT && columns == strips * CK_MIXED_LINES;
                float *to = whole ? c : apart;
                const int64_t pitch = whole ? p->c_row_stride : 2 * CK_MIXED_LINES;
                if (strips == 2) mixed_sums(a, b, strip, start, to, pitch, 2);
                else mixed_sums(a, b, strip, start, to, pitch, 1);
                for (int64_t r = 0; !whole && r < rows; r++)
                    memcpy(c + r * p->c_row_stride, apart + r * pitch, (size_t)columns * sizeof *c);
            }
        }
    }
}
#endif
#include "../vector/end.h"
