#include "random_variants.h"

size_t ck_random_units(const ck_random_params *params) { return ck_block_count(params->count); }

static ck_task choose(int op, ck_dtype dtype, ck_isa isa) {
#if defined(__x86_64__)
    CK_TRAINING(if (dtype == CK_F32 && isa == CK_ISA_AVX512) return ck_random_avx512[op];)
    if (dtype == CK_F32 && isa != CK_ISA_REFERENCE) return ck_random_avx2[op];
#endif
    (void)isa;
    return dtype == CK_F32 ? ck_random_reference_f32[op] : dtype == CK_F64 ? ck_random_reference_f64[op] : NULL;
}

ck_task ck_random_uniform(ck_dtype dtype, ck_isa isa) { return choose(RANDOM_UNIFORM, dtype, isa); }
ck_task ck_random_normal(ck_dtype dtype, ck_isa isa) { return choose(RANDOM_NORMAL, dtype, isa); }
ck_task ck_dropout(ck_dtype dtype, ck_isa isa) { return choose(RANDOM_DROPOUT, dtype, isa); }
