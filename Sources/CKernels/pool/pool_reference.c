#include <math.h>
#include <string.h>

#include "pool_tasks.h"
#include "pool_window.h"

#define T float
#define NAME(base) base##_f32_reference
#include "pool_reference.inc"
#include "pool_loops.inc"
#undef T
#undef NAME

#define T double
#define NAME(base) base##_f64_reference
#include "pool_reference.inc"
#include "pool_loops.inc"
