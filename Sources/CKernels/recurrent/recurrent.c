#include <string.h>

#include "recurrent_variants.h"

int64_t ck_recurrent_block(int64_t batch, int lanes) {
    const int64_t each = (batch + lanes - 1) / lanes, blocks = (each + CK_RECURRENT_BLOCK - 1) / CK_RECURRENT_BLOCK;
    return blocks > 0 ? (each + blocks - 1) / blocks : 1;
}

size_t ck_recurrent_units(const ck_recurrent_params *p) { return (size_t)((p->batch + p->block - 1) / p->block); }

#define T float
#define NAME(base) base##_f32
#include "recurrent_run.inc"

#if !defined(APUS_INFERENCE)
#define T double
#define NAME(base) base##_f64
#include "recurrent_run.inc"
#endif

size_t ck_recurrent_workspace(const ck_recurrent_params *p, ck_dtype dtype, int lanes) {
    return lane_bytes_f32(p, ck_recurrent_largest(p, lanes)) * (dtype == CK_F64 ? 2 : 1) * (size_t)lanes;
}

ck_task ck_recurrent(ck_dtype dtype, ck_isa isa) {
    if (dtype == CK_F64) return CK_F64_TASK(ck_recurrent_f64_reference);
    if (dtype != CK_F32) return NULL;
#if defined(__x86_64__)
    if (isa == CK_ISA_AVX512) return ck_recurrent_avx512;
    if (isa == CK_ISA_AVX2) return ck_recurrent_avx2;
#endif
    (void)isa;
    return ck_recurrent_f32_reference;
}

ck_task ck_recurrent_codes(ck_isa isa) {
#if defined(__x86_64__)
    if (isa == CK_ISA_AVX512 || isa == CK_ISA_AVX2) return ck_recurrent_codes_avx2;
#endif
    (void)isa;
    return ck_recurrent_codes_reference;
}
