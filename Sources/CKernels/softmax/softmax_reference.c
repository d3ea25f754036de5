#include "softmax_variants.h"

#include <tgmath.h>

#define T float
#define NAME(base) base##_f32
#include "softmax_reference.inc"
#undef T
#undef NAME

#define T double
#define NAME(base) base##_f64
#include "softmax_reference.inc"
