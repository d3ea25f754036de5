#include "../vector/avx512.h"
#if defined(CK_HAVE_ISA)

V_INLINE vi v_multiply(vi a, uint32_t m, vi *low) {
    const __m512i factor = _mm512_set1_epi32((int)m);
    __m512i even = _mm512_mul_epu32(a, factor), odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), factor);
    *low = _mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32));
    return _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 32), odd);
}
V_INLINE vf v_unsigned_to_float(vi a) { return _mm512_cvtepu32_ps(a); }
#define BLOCK_ORDER _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)
#define TURN(low, high, a, b) (low = _mm512_unpacklo_epi32(a, b), high = _mm512_unpackhi_epi32(a, b))
#define TURN2(low, high, a, b) (low = _mm512_unpacklo_epi64(a, b), high = _mm512_unpackhi_epi64(a, b))
#define EVEN_LANES(a) _mm512_shuffle_epi32(a, 0xA0)
#define ODD_LANES(a) _mm512_shuffle_epi32(a, 0xF5)
#define ODD_MASK ((vm)0xAAAA)

#include "random_vector.inc"
#endif
#include "../vector/end.h"
