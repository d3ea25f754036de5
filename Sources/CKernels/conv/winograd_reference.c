/* Winograd's convolution as defined: one tile and one channel at a time. */
#include <math.h>

#include "../vector/compact.h"
#include "../vector/scalar_math.h"
#include "winograd_tasks.h"
#include "winograd_view.h"

#define R T
#define R_WIDTH 1
#define R_INLINE static
#define R_LOAD(p) (*(p))
#define R_STORE(p, x) (*(p) = (x))
#define R_ADD(x, y) ((x) + (y))
#define R_SUB(x, y) ((x) - (y))
#define R_MUL(k, x) ((T)(k) * (x))
#define R_FMA(k, x, y) FMA((T)(k), x, y)
#define R_EACH(i, n) for (int i = 0; i < (n); i++)

#define T float
#define FMA fmaf
#define ACTIVATE ck_activate_f32
#define NAME(base) base##_f32_reference
#include "winograd_reference.inc"
#undef T
#undef FMA
#undef ACTIVATE
#undef NAME
#undef WINOGRAD_BOTH_WAYS
#define T double
#define FMA fma
#define ACTIVATE ck_activate_f64
#define NAME(base) base##_f64_reference
#include "winograd_reference.inc"

#include "../vector/end.h"
