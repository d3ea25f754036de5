#include "../vector/avx2.h"
#if defined(CK_HAVE_ISA)

V_INLINE vi v_multiply(vi a, uint32_t m, vi *low) {
    const __m256i factor = _mm256_set1_epi32((int)m);
    __m256i even = _mm256_mul_epu32(a, factor), odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), factor);
    *low = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
    return _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
}
/* high·2^16 + low is rounded once, by the fma. */
V_INLINE vf v_unsigned_to_float(vi a) {
    return v_fma(vi_to_float(vi_shr(a, 16)), v_set(0x1p16f), vi_to_float(vi_and(a, vi_set(0xffff))));
}
#define BLOCK_ORDER _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7)
#define TURN(low, high, a, b) (low = _mm256_unpacklo_epi32(a, b), high = _mm256_unpackhi_epi32(a, b))
#define TURN2(low, high, a, b) (low = _mm256_unpacklo_epi64(a, b), high = _mm256_unpackhi_epi64(a, b))
#define EVEN_LANES(a) _mm256_shuffle_epi32(a, 0xA0)
#define ODD_LANES(a) _mm256_shuffle_epi32(a, 0xF5)
#define ODD_MASK _mm256_castsi256_ps(_mm256_set1_epi64x((long long)0xffffffff00000000ull))

#include "random_vector.inc"
#endif
#include "../vector/end.h"
