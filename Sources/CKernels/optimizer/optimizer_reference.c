#include "optimizer_variants.h"

#define STEP 1
#define V E
#define LOAD(p, n) (*(p))
#define STORE(p, x, n) (*(p) = (x))
#define SET(x) ((E)(x))
#define SUM(x) (x)
#define ADD(a, b) ((a) + (b))
#define SUB(a, b) ((a) - (b))
#define MUL(a, b) ((a) * (b))
#define DIV(a, b) ((a) / (b))

#define E float
#define NAME(base) base##_reference_f32
#define SQRT(a) sqrtf(a)
#include "optimizer_loops.inc"
#undef E
#undef NAME
#undef SQRT

#define E double
#define NAME(base) base##_reference_f64
#define SQRT(a) sqrt(a)
#include "optimizer_loops.inc"
