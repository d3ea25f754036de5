#include "softmax_variants.h"

size_t ck_softmax_units(const ck_softmax_params *p) {
    if (p->outer <= 0 || p->width <= 0 || p->inner <= 0) return 0;
    return (size_t)p->outer * (((size_t)p->inner + SOFTMAX_COLUMNS - 1) / SOFTMAX_COLUMNS);
}

ck_task ck_softmax(ck_softmax_op op, ck_dtype dtype, ck_isa isa) {
    if ((unsigned)op >= CK_SOFTMAX_OPS) return NULL;
#if defined(__x86_64__)
    if (dtype == CK_F32 && isa == CK_ISA_AVX512) return ck_softmax_avx512[op];
    if (dtype == CK_F32 && isa == CK_ISA_AVX2) return ck_softmax_avx2[op];
#endif
    (void)isa;
    if (dtype == CK_F32) return ck_softmax_reference_f32[op];
    return dtype == CK_F64 ? CK_F64_TASK(ck_softmax_reference_f64[op]) : NULL;
}

size_t ck_cross_entropy_units(const ck_cross_entropy_params *p) { return p->rows > 0 ? (size_t)p->rows : 0; }

ck_task ck_cross_entropy(ck_cross_entropy_op op, ck_dtype dtype, ck_isa isa) {
    if ((unsigned)op >= CK_CROSS_ENTROPY_OPS) return NULL;
#if defined(__x86_64__)
    if (dtype == CK_F32 && isa == CK_ISA_AVX512) return ck_cross_entropy_avx512[op];
    if (dtype == CK_F32 && isa == CK_ISA_AVX2) return ck_cross_entropy_avx2[op];
#endif
    (void)isa;
    if (dtype == CK_F32) return ck_cross_entropy_reference_f32[op];
    return dtype == CK_F64 ? CK_F64_TASK(ck_cross_entropy_reference_f64[op]) : NULL;
}
