#include "optimizer_variants.h"

int32_t ck_optimizer_slots(ck_optimizer_kind kind, const ck_optimizer_params *params) {
    switch (kind) {
    case CK_SGD: return params->momentum != 0;
    case CK_RMSPROP: return 1 + (params->momentum != 0);
    case CK_ADAGRAD: return 1;
    default: return 2;
    }
}

size_t ck_optimizer_units(const ck_optimizer_params *params) { return ck_block_count(params->count); }

ck_task ck_optimizer(ck_optimizer_kind kind, ck_dtype dtype, ck_isa isa) {
    if ((unsigned)kind >= CK_OPTIMIZERS) return NULL;
#if defined(__x86_64__)
    if (dtype == CK_F32 && isa == CK_ISA_AVX512) return ck_optimizer_avx512[kind];
    if (dtype == CK_F32 && isa == CK_ISA_AVX2) return ck_optimizer_avx2[kind];
#endif
    (void)isa;
    return dtype == CK_F32   ? ck_optimizer_reference_f32[kind]
           : dtype == CK_F64 ? ck_optimizer_reference_f64[kind]
                             : NULL;
}

static ck_task choose_norm(int op, ck_dtype dtype, ck_isa isa) {
#if defined(__x86_64__)
    if (dtype == CK_F32 && isa == CK_ISA_AVX512) return ck_norm_avx512[op];
    if (dtype == CK_F32 && isa == CK_ISA_AVX2) return ck_norm_avx2[op];
#endif
    (void)isa;
    return dtype == CK_F32 ? ck_norm_reference_f32[op] : dtype == CK_F64 ? ck_norm_reference_f64[op] : NULL;
}

ck_task ck_sum_squares(ck_dtype dtype, ck_isa isa) { return choose_norm(NORM_SUM_SQUARES, dtype, isa); }
size_t ck_clip_norm_units(const ck_norm_params *params) { return ck_block_count(params->count); }
ck_task ck_clip_norm(ck_dtype dtype, ck_isa isa) { return choose_norm(NORM_CLIP, dtype, isa); }
