#include "reduce_variants.h"
#include <math.h>

/* f32 accumulates in double: the reference is the value the variants are held against. */
#define T float
#define NAME(base) base##_f32
#define ACC double
#define LOWEST -INFINITY
#define HIGHEST INFINITY
#define ADD(a, b) ((a) + (b))
#define MUL(a, b) ((a) * (b))
#define FLOATING 1
#include "reduce_template.inc"

#define T double
#define NAME(base) base##_f64
#define ACC double
#define LOWEST -INFINITY
#define HIGHEST INFINITY
#define ADD(a, b) ((a) + (b))
#define MUL(a, b) ((a) * (b))
#define FLOATING 1
#include "reduce_template.inc"

#define T int32_t
#define NAME(base) base##_i32
#define ACC int32_t
#define LOWEST INT32_MIN
#define HIGHEST INT32_MAX
#define ADD(a, b) ((int32_t)((uint32_t)(a) + (uint32_t)(b)))
#define MUL(a, b) ((int32_t)((uint32_t)(a) * (uint32_t)(b)))
#define FLOATING 0
#include "reduce_template.inc"

#define T int64_t
#define NAME(base) base##_i64
#define ACC int64_t
#define LOWEST INT64_MIN
#define HIGHEST INT64_MAX
#define ADD(a, b) ((int64_t)((uint64_t)(a) + (uint64_t)(b)))
#define MUL(a, b) ((int64_t)((uint64_t)(a) * (uint64_t)(b)))
#define FLOATING 0
#include "reduce_template.inc"
