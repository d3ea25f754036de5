#include "philox.h"

#include <tgmath.h>

#define T float
#define NAME(base) base##_f32
#define UNIFORM(w) ((float)((w) >> 8) * 0x1p-24f)
#include "random_reference.inc"
#undef T
#undef NAME
#undef UNIFORM

#define T double
#define NAME(base) base##_f64
#define UNIFORM(w) ((w) * 0x1p-32)
#include "random_reference.inc"
