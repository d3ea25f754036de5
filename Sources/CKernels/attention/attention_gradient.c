#include <string.h>

#include "attention_gradient.h"

#define REAL float
#define WALK(...) void ck_attention_gradient_run(__VA_ARGS__, attention_gradient_row row)
#include "attention_gradient.inc"

size_t ck_attention_gradient_units(const ck_attention_gradient_params *p) {
    const ck_attention_params *a = &p->attention;
    return a->batch > 0 && a->heads > 0 ? (size_t)(a->batch * (a->heads / a->group)) : 0;
}

size_t ck_attention_gradient_workspace(const ck_attention_gradient_params *p, ck_dtype dtype, int lanes) {
    const size_t element = dtype == CK_F64 ? sizeof(double) : sizeof(float);
    return (size_t)gradient_layout_of(&p->attention).size * element * (size_t)lanes;
}

ck_task ck_attention_gradient(ck_dtype dtype, ck_isa isa) {
    if (dtype == CK_F64) return CK_F64_TASK(ck_attention_gradient_f64);
    if (dtype != CK_F32) return NULL;
#if defined(__x86_64__)
    if (isa == CK_ISA_AVX512) return ck_attention_gradient_avx512;
    if (isa == CK_ISA_AVX2) return ck_attention_gradient_avx2;
#endif
    (void)isa;
    return ck_attention_gradient_reference;
}
