#include <string.h>

#include "../include/ck_elementwise.h"
#include "recurrent_variants.h"

#if !defined(APUS_INFERENCE)
/* Of one lane: dh, dc, a product and what flows through products, of a block, and a row of zeros. */
static size_t back_scratch(const ck_recurrent_params *p, int64_t block) { return (size_t)((4 * block + 1) * p->hidden); }

#define T float
#define NAME(base) base##_f32
#include "recurrent_gradient_run.inc"

#define T double
#define NAME(base) base##_f64
#include "recurrent_gradient_run.inc"

size_t ck_recurrent_gradient_workspace(const ck_recurrent_params *p, ck_dtype dtype, int lanes) {
    return back_scratch(p, ck_recurrent_largest(p, lanes)) * (dtype == CK_F64 ? sizeof(double) : sizeof(float)) * (size_t)lanes;
}

/* Without steps there is nothing to write but what flows to a first state. */
size_t ck_recurrent_gradient_units(const ck_recurrent_params *p) {
    return p->time == 0 && !p->has_state ? 0 : ck_recurrent_units(p);
}

ck_task ck_recurrent_gradient(ck_dtype dtype, ck_isa isa) {
    if (dtype == CK_F64) return ck_recurrent_gradient_f64_reference;
    if (dtype != CK_F32) return NULL;
#if defined(__x86_64__)
    if (isa == CK_ISA_AVX512) return ck_recurrent_gradient_avx512;
    if (isa == CK_ISA_AVX2) return ck_recurrent_gradient_avx2;
#endif
    (void)isa;
    return ck_recurrent_gradient_f32_reference;
}
#endif
