/* Convolution as defined: one output at a time, one tap at a time. */
#include <math.h>

#include "../gemm/half.h"
#include "../vector/scalar_math.h"
#include "conv_tasks.h"
#include "conv_view.h"

#define PLAIN(w) (w)

#define T float
#define FMA fmaf
#define ACTIVATE ck_activate_f32
#define W float
#define WIDEN PLAIN
#define NAME(base) base##_f32_reference
#include "conv_reference.inc"
#include "conv_weight_gradient_reference.inc"
#undef W
#undef WIDEN
#undef NAME
#define W uint16_t
#define WIDEN half_to_f32
#define NAME(base) base##_f16_reference
#include "conv_reference.inc"
#undef WIDEN
#undef NAME
#define WIDEN bf16_to_f32
#define NAME(base) base##_bf16_reference
#include "conv_reference.inc"
#undef T
#undef FMA
#undef ACTIVATE
#undef W
#undef WIDEN
#undef NAME
#define T double
#define FMA fma
#define ACTIVATE ck_activate_f64
#define W double
#define WIDEN PLAIN
#define NAME(base) base##_f64_reference
#include "conv_reference.inc"
#include "conv_weight_gradient_reference.inc"
