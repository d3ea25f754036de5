#include "cast_variants.h"

size_t ck_cast_units(const ck_cast_params *params) { return ck_block_count(params->count); }

ck_task ck_cast(ck_dtype from, ck_dtype to, ck_isa isa) {
    if ((unsigned)from >= CAST_TYPES || (unsigned)to >= CAST_TYPES) return NULL;
#if defined(__x86_64__)
    if (isa == CK_ISA_AVX512 && ck_cast_avx512[from][to]) return ck_cast_avx512[from][to];
    if (isa == CK_ISA_AVX2 && ck_cast_avx2[from][to]) return ck_cast_avx2[from][to];
#endif
    (void)isa;
    return ck_cast_reference[from][to];
}
