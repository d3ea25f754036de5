#include <stdint.h>
#include <string.h>

#include "../vector/avx512.h"

#if defined(CK_HAVE_ISA)
#define CONV_ROWS 12
#define CONV_VECTORS 2
#define CONV_MASKS_ARE_FREE 1
#define CONV_POOLS 1
#define CONV_F32_KERNELS(K) K(12, 2) K(12, 1) K(4, 2)
#define CONV_HALF_KERNELS(K) K(12, 2) K(4, 2)
#define DEPTHWISE_ROWS 7 /* the pictures of most networks are 7 · 2ⁿ wide */
#define CONV_MOST_ROWS 12
/* A mask costs nothing here: every tile takes part of its columns. Nine rows: a 3 × 3 kernel. */
#define WINOGRAD_GRADIENT_KERNELS(K) K(16, 1, 1) K(8, 1, 1) K(8, 2, 1)
#define GRADIENT_KERNELS(K) K(12, 2, 1, 0) K(9, 2, 1, 0) K(4, 2, 1, 0) K(12, 1, 1, 0) K(9, 1, 1, 0) K(12, 1, 1, 1) K(9, 1, 1, 1)

V_INLINE vi conv_load_int(const int32_t *p) { return _mm512_loadu_si512(p); }
V_INLINE void conv_store_int(int32_t *p, vi a) { _mm512_storeu_si512(p, a); }
V_INLINE uint32_t conv_signs(vi a) { return _mm512_movepi32_mask(a); }
V_INLINE vf conv_load_f16(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
V_INLINE vf conv_load_bf16(const uint16_t *p) {
    return v_from_bits(vi_shl(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)), 16));
}

#include "conv_isa.inc"
#include "../vector/end.h"
#endif
