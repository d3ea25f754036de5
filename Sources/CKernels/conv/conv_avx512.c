#include <stdint.h>
#include <string.h>

#include "../vector/avx512.h"

#if defined(CK_HAVE_ISA)
#define CONV_ROWS 12
#define CONV_VECTORS 2
#define CONV_HEIGHTS(K) K(12, 2) K(8, 2) K(4, 2) K(1, 2) K(12, 1) K(8, 1) K(4, 1) K(1, 1)
#define DEPTHWISE_ROWS 4
#define DEPTHWISE_VECTORS 4
/* A mask costs nothing here: every tile is a partial one. 9 rows: a 3 × 3 kernel. */
#define GRADIENT_HEIGHTS(K) \
    K(12, 2, 1) K(9, 2, 1) K(4, 2, 1) K(1, 2, 1) K(12, 1, 1) K(9, 1, 1) K(4, 1, 1) K(1, 1, 1)

V_INLINE vf conv_load_f16(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
V_INLINE vf conv_load_bf16(const uint16_t *p) {
    return v_from_bits(vi_shl(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)), 16));
}
V_INLINE vf conv_load_n_half(const uint16_t *p, size_t n, const int bf16) {
    uint16_t part[V_WIDTH] = {0};
    memcpy(part, p, n * sizeof *p);
    return bf16 ? conv_load_bf16(part) : conv_load_f16(part);
}

#include "conv_types.inc"
#include "../vector/end.h"
#endif
