#include "movement_variants.h"

#define T float
#define NAME(base) base##_f32
#include "movement_sums.inc"

#define T double
#define NAME(base) base##_f64
#include "movement_sums.inc"

#define T uint32_t
#define NAME(base) base##_i32
#include "movement_sums.inc"

#define T uint64_t
#define NAME(base) base##_i64
#include "movement_sums.inc"
