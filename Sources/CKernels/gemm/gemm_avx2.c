#include "../vector/avx2.h"

#if defined(CK_HAVE_ISA)
#define GEMM_REGISTERS 12
#define GEMM_KERNELS(K)                                                                                   \
    K(1, 1) K(2, 1) K(3, 1) K(4, 1) K(5, 1) K(6, 1) K(1, 2) K(2, 2) K(3, 2) K(1, 4)
#define GEMM_PAIRED_KERNELS(K) K(1, 1) K(2, 1) K(3, 1) K(1, 2)
#define GEMM_HALF_PAIRED_KERNELS(K) GEMM_PAIRED_KERNELS(K)
#define GEMM_HALF_KERNELS(K) GEMM_KERNELS(K)
#define GEMM_CODE_KERNELS(K) K(1, 1) K(2, 1) K(3, 1) K(1, 2) K(3, 2) K(1, 4)

V_INLINE vf gemm_load_f16(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
V_INLINE vf gemm_load_bf16(const uint16_t *p) {
    return v_from_bits(vi_shl(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)), 16));
}
V_INLINE vf gemm_load_code(const int8_t *p) { return vi_to_float(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p))); }

#include "gemm_vector.inc"
#include "../vector/end.h"
#endif
