#include "../include/ck_mixed.h"

#if !defined(APUS_INFERENCE)
#define MIXED_NAME(base) base##_reference
#include "mixed_loops.inc"

size_t ck_mixed_pack_units(const ck_mixed_pack_params *p) {
    return p->count <= 0 || p->batch <= 0 ? 0 : (size_t)(p->batch * mixed_ceil_div(p->count, CK_MIXED_LINES));
}

int64_t ck_mixed_bytes(int64_t count, int64_t k) { return mixed_operand(count, k) * (int64_t)sizeof(uint32_t); }

size_t ck_mixed_units(const ck_mixed_params *p) {
    if (p->m <= 0 || p->n <= 0 || p->batch <= 0) return 0;
    return (size_t)(p->batch * mixed_ceil_div(p->m, MIXED_ROWS) * mixed_ceil_div(p->n, MIXED_COLUMNS));
}

#if defined(__x86_64__)
/* By AVX512_BF16, whose tiles have an order of their own. */
static int by_bf16(ck_isa isa) { return isa == CK_ISA_AVX512_VNNI && ck_isa_has_bf16(); }
#endif

ck_task ck_mixed_pack(ck_isa isa) {
#if defined(__x86_64__)
    if (by_bf16(isa)) return ck_mixed_pack_avx512_bf16;
    if (ck_isa_base(isa) == CK_ISA_AVX512) return ck_mixed_pack_avx512;
    if (ck_isa_base(isa) == CK_ISA_AVX2) return ck_mixed_pack_avx2;
#endif
    (void)isa;
    return ck_mixed_pack_reference;
}

ck_task ck_mixed(ck_isa isa) {
#if defined(__x86_64__)
    if (isa == CK_ISA_AVX512_AMX) return ck_mixed_avx512_amx;
    if (by_bf16(isa)) return ck_mixed_avx512_bf16;
    if (ck_isa_base(isa) == CK_ISA_AVX512) return ck_mixed_avx512;
    if (ck_isa_base(isa) == CK_ISA_AVX2) return ck_mixed_avx2;
#endif
    (void)isa;
    return ck_mixed_reference;
}
#endif
