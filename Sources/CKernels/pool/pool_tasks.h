/* The variants the choosers pick from. */
#ifndef CK_POOL_TASKS_H
#define CK_POOL_TASKS_H

#include "ck_pool.h"

#define POOL_TASK(name) void name(const void *, void *const *, size_t, size_t, unsigned)
#define POOL_FAMILY(variant)                                              \
    POOL_TASK(max_pool_##variant); POOL_TASK(max_pool_gradient_##variant); \
    POOL_TASK(max_pool_index_##variant); POOL_TASK(max_pool_index_gradient_##variant); \
    POOL_TASK(avg_pool_##variant); POOL_TASK(avg_pool_gradient_##variant)

POOL_FAMILY(f32_reference);
POOL_FAMILY(f64_reference);
POOL_FAMILY(f32_avx2);
POOL_FAMILY(f32_avx512);
#endif
