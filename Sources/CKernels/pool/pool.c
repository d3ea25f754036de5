/* The choosers and the unit counts of pooling. */
#include "ck_pool.h"

#include "pool_tasks.h"
#include "pool_window.h"

#if defined(__x86_64__)
#define VARIANT(base, isa) base##_f32_##isa
#else
#define VARIANT(base, isa) base##_f32_reference
#endif

#define CHOOSER(base)                                                                              \
    ck_task ck_##base(const ck_pool_params *p, ck_dtype dtype, ck_isa isa) {                       \
        static const ck_task f32[] = {base##_f32_reference, VARIANT(base, avx2), VARIANT(base, avx512)}; \
        (void)p;                                                                                   \
        if (dtype == CK_F64) return CK_F64_TASK(base##_f64_reference);                                          \
        return dtype != CK_F32 ? NULL : f32[isa > CK_ISA_AVX512 ? CK_ISA_REFERENCE : isa];         \
    }
CHOOSER(max_pool)
CHOOSER(avg_pool)
CHOOSER(max_pool_gradient)
CHOOSER(max_pool_index)
CHOOSER(max_pool_index_gradient)
CHOOSER(avg_pool_gradient)

size_t ck_pool_units(const ck_pool_params *p) { return (size_t)p->batch * (size_t)p->out_h; }
size_t ck_max_pool_gradient_units(const ck_pool_params *p) {
    return (size_t)p->batch * (((size_t)p->channels + POOL_BLOCK - 1) / POOL_BLOCK);
}
size_t ck_avg_pool_gradient_units(const ck_pool_params *p) { return (size_t)p->batch * (size_t)p->in_h; }
