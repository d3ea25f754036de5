#include <stdint.h>

#include "../vector/avx2.h"

#if defined(CK_HAVE_ISA)
V_INLINE vf pool_load_bytes(const uint8_t *p, size_t n) {
    uint64_t bytes = 0;
    __builtin_memcpy(&bytes, p, n);
    return vi_to_float(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t)bytes)));
}
V_INLINE void pool_store_bytes(uint8_t *p, vf x, size_t n) {
    const __m256i words = _mm256_packus_epi32(v_to_int(x), _mm256_setzero_si256()); /* the four of a half first */
    const __m256i bytes = _mm256_packus_epi16(words, words);
    const uint64_t low = (uint32_t)_mm256_extract_epi32(bytes, 0), high = (uint32_t)_mm256_extract_epi32(bytes, 4);
    const uint64_t all = low | high << 32;
    __builtin_memcpy(p, &all, n);
}

#include "pool_vector.inc"
#include "../vector/end.h"
#endif
