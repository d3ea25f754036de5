#include "../vector/avx2.h"
#if defined(CK_HAVE_ISA)

V_INLINE vf widen_f16(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
V_INLINE vi widen_u16(const uint16_t *p) { return _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)); }
V_INLINE vi widen_u8(const uint8_t *p) { return _mm256_cvtepu8_epi32(_mm_loadu_si64(p)); }
V_INLINE vi widen_i8(const int8_t *p) { return _mm256_cvtepi8_epi32(_mm_loadu_si64(p)); }
V_INLINE void narrow_f16(uint16_t *p, vf x) {
    _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
V_INLINE __m128i low_halves(vi x) { /* the low 16 bits of each lane */
    x = vi_and(x, vi_set(0xffff));
    return _mm_packus_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
}
V_INLINE void narrow_16(uint16_t *p, vi x) { _mm_storeu_si128((__m128i *)p, low_halves(x)); }
V_INLINE void narrow_8(uint8_t *p, vi x) {
    __m128i halves = low_halves(vi_and(x, vi_set(0xff)));
    _mm_storeu_si64(p, _mm_packus_epi16(halves, halves));
}
V_INLINE vi v_truncate_to_int(vf x) { return _mm256_cvttps_epi32(x); }

#include "cast_vector.inc"
#endif
#include "../vector/end.h"
