#include "normalize_variants.h"
#include "../vector/scalar_math.h"

#define T float
#define NAME(base) base##_f32
#include "normalize_template.inc"

#define T double
#define NAME(base) base##_f64
#include "normalize_template.inc"
