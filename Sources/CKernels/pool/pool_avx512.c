#include <stdint.h>

#include "../vector/avx512.h"

#if defined(CK_HAVE_ISA)
V_INLINE vf pool_load_bytes(const uint8_t *p, size_t n) {
    return vi_to_float(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(v_tail(n), p)));
}
V_INLINE void pool_store_bytes(uint8_t *p, vf x, size_t n) { _mm512_mask_cvtepi32_storeu_epi8(p, v_tail(n), v_to_int(x)); }

#include "pool_vector.inc"
#include "../vector/end.h"
#endif
