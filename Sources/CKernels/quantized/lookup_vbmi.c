/* Lookup by AVX-512 VBMI: a byte selects among 128 entries in one instruction. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "../elementwise/flat.h"
#include "codes_tasks.h"

__attribute__((target("avx512vbmi,avx512bw,avx512f"))) void ck_lookup_i8_vbmi(
    const void *params, void *const *operands, size_t begin, size_t end, unsigned lane
) {
    (void)lane;
    const ck_lookup_params *p = params;
    const char *table = operands[1];
    __m512i t[4];
    for (int i = 0; i < 4; i++) t[i] = _mm512_loadu_si512(table + 64 * i);
    const size_t stop = ck_block_stop(end, p->count);
    for (size_t i = begin * CK_BLOCK; i < stop; i += 64) {
        const __mmask64 mask = stop - i >= 64 ? ~0ull : (1ull << (stop - i)) - 1;
        const __m512i x = _mm512_maskz_loadu_epi8(mask, (const char *)operands[0] + i);
        /* The low seven bits of a negative x are x + 128, those of another x. */
        const __m512i below = _mm512_permutex2var_epi8(t[0], x, t[1]), above = _mm512_permutex2var_epi8(t[2], x, t[3]);
        const __m512i y = _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), above, below);
        _mm512_mask_storeu_epi8((char *)operands[2] + i, mask, y);
    }
}
#endif
