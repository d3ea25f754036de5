#include "cast_variants.h"

size_t ck_cast_units(const ck_cast_params *params) { return ck_block_count(params->count); }

static int has_whole_bytes(ck_dtype t) { return t >= CK_F32 && t <= CK_BOOL; }

ck_task ck_cast(ck_dtype from, ck_dtype to, ck_isa isa) {
    if (!has_whole_bytes(from) || !has_whole_bytes(to)) return NULL;
#if defined(__x86_64__)
    const ck_cast_pair *pairs = isa == CK_ISA_AVX512 ? ck_cast_avx512 : isa == CK_ISA_AVX2 ? ck_cast_avx2 : NULL;
    for (int i = 0; pairs && i < CAST_PAIRS; i++)
        if (pairs[i].from == from && pairs[i].to == to) return pairs[i].task;
#endif
    (void)isa;
    return ck_cast_reference;
}
