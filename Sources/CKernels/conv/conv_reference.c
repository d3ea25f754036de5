/* Convolution as defined: one output at a time, one tap at a time. */
#include <math.h>

#include "../gemm/half.h"
#include "../vector/compact.h"
#include "../vector/scalar_math.h"
#include "conv_gradient.h"
#include "conv_tasks.h"

static float weight_f32(const void *weights, ck_dtype dtype, size_t i) {
    if (dtype == CK_F32) return ((const float *)weights)[i];
    uint16_t half = ((const uint16_t *)weights)[i];
    return dtype == CK_F16 ? half_to_f32(half) : bf16_to_f32(half);
}

#define R T
#define R_INLINE static __attribute__((unused))
#define R_ADD(x, y) ((x) + (y))
#define R_SUB(x, y) ((x) - (y))
#define R_MUL(k, x) ((T)(k) * (x))
#define R_FMA(k, x, y) FMA((T)(k), x, y)

#define T float
#define FMA fmaf
#define ACTIVATE ck_activate_f32
#define WEIGHT weight_f32
#define NAME(base) base##_f32
#include "conv_reference.inc"
#include "winograd_gradient_reference.inc"
#include "conv_weight_gradient_reference.inc"
#undef T
#undef FMA
#undef ACTIVATE
#undef WEIGHT
#undef NAME
#define T double
#define FMA fma
#define ACTIVATE ck_activate_f64
#define WEIGHT(weights, dtype, i) ((void)(dtype), ((const double *)(weights))[i])
#define NAME(base) base##_f64
#include "conv_reference.inc"
#include "winograd_gradient_reference.inc"
#include "conv_weight_gradient_reference.inc"

#define TASK(name, call)                                                                                   \
    void name##_reference(const void *params, void *const *operands, size_t begin, size_t end, unsigned lane) { \
        (void)lane;                                                                                        \
        call;                                                                                              \
    }
#define GATHER_TASKS(type, sums, dtype)                                                                    \
    TASK(conv_##type, gather_##sums(params, 0, 0, dtype, operands, begin, end))                            \
    TASK(conv_input_gradient_##type, gather_##sums(params, 1, 0, dtype, operands, begin, end))             \
    TASK(depthwise_##type, gather_##sums(params, 0, 1, dtype, operands, begin, end))                       \
    TASK(depthwise_input_gradient_##type, gather_##sums(params, 1, 1, dtype, operands, begin, end))
#define CORRELATE_TASKS(type)                                                                              \
    TASK(conv_weight_gradient_##type, correlate_units_##type(params, 0, operands, begin, end))             \
    TASK(depthwise_weight_gradient_##type, correlate_units_##type(params, 1, operands, begin, end))

GATHER_TASKS(f32, f32, CK_F32)
GATHER_TASKS(f16, f32, CK_F16)
GATHER_TASKS(bf16, f32, CK_BF16)
GATHER_TASKS(f64, f64, CK_F64)
CORRELATE_TASKS(f32)
CORRELATE_TASKS(f64)

#include "../vector/end.h"
