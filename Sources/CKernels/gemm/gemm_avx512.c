#include "../vector/avx512.h"

#if defined(CK_HAVE_ISA)
#define GEMM_REGISTERS 24
/* 12 × 32 feeds both FMA units; few rows take more panels, for as many chains of sums. */
#define GEMM_KERNELS(K)                                                                                   \
    K(1, 1) K(2, 1) K(3, 1) K(4, 1) K(5, 1) K(6, 1) K(7, 1) K(8, 1) K(9, 1) K(10, 1) K(11, 1) K(12, 1)     \
    K(1, 2) K(2, 2) K(3, 2) K(4, 2) K(5, 2) K(6, 2) K(7, 2) K(8, 2) K(9, 2) K(10, 2) K(11, 2) K(12, 2)     \
    K(1, 4) K(2, 4) K(3, 4) K(4, 4) K(5, 4) K(6, 4)
#define GEMM_PAIRED_KERNELS(K)                                                                            \
    K(1, 1) K(2, 1) K(3, 1) K(4, 1) K(5, 1) K(6, 1) K(1, 2) K(2, 2) K(3, 2) K(4, 2) K(5, 2) K(6, 2) K(1, 4)
#define GEMM_HALF_PAIRED_KERNELS(K) K(1, 1) K(2, 1) K(3, 1) K(1, 2) K(2, 2) K(3, 2)
#define GEMM_HALF_KERNELS(K)                                                                              \
    K(1, 1) K(2, 1) K(3, 1) K(4, 1) K(5, 1) K(6, 1) K(1, 2) K(2, 2) K(3, 2) K(4, 2) K(5, 2) K(6, 2)       \
    K(1, 4) K(6, 4)
#define GEMM_CODE_KERNELS(K) K(1, 1) K(2, 1) K(3, 1) K(4, 1) K(5, 1) K(6, 1) K(1, 2) K(6, 2) K(1, 4) K(6, 4)

V_INLINE vf gemm_load_f16(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
V_INLINE vf gemm_load_bf16(const uint16_t *p) {
    return v_from_bits(vi_shl(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)), 16));
}
V_INLINE vf gemm_load_code(const int8_t *p) { return vi_to_float(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p))); }

#include "gemm_vector.inc"
#include "../vector/end.h"
#endif
