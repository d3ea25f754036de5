#include <stdint.h>
#include <string.h>

#include "../vector/avx2.h"

#if defined(CK_HAVE_ISA)
#define CONV_ROWS 6
#define CONV_VECTORS 2
#define CONV_MASKS_ARE_FREE 0
#define CONV_POOLS 0
#define CONV_F32_KERNELS(K) K(6, 2) K(4, 2)
#define CONV_HALF_KERNELS(K) K(6, 2)
#define DEPTHWISE_ROWS 7 /* the pictures of most networks are 7 · 2ⁿ wide */
#define CONV_MOST_ROWS 7
#define WINOGRAD_GRADIENT_KERNELS(K) K(4, 2, 0) K(4, 2, 1)
#define GRADIENT_KERNELS(K) K(6, 2, 1, 0) K(6, 2, 0, 0) K(3, 2, 0, 0) K(6, 1, 1, 1) K(3, 1, 1, 1)

V_INLINE vi conv_load_int(const int32_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
V_INLINE void conv_store_int(int32_t *p, vi a) { _mm256_storeu_si256((__m256i *)p, a); }
V_INLINE uint32_t conv_signs(vi a) { return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(a)); }
V_INLINE vf conv_load_f16(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
V_INLINE vf conv_load_bf16(const uint16_t *p) {
    return v_from_bits(vi_shl(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)), 16));
}

#include "conv_isa.inc"
#include "../vector/end.h"
#endif
