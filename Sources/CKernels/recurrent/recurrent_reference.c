#include <string.h>

#include "../vector/compact.h"
#include "../vector/scalar_math.h"
#include "recurrent_variants.h"

/* The task of a type is named as its variant. */
#define ck_recurrent_f32 ck_recurrent_f32_reference
#define ck_recurrent_f64 ck_recurrent_f64_reference
#define ck_recurrent_gradient_f32 ck_recurrent_gradient_f32_reference
#define ck_recurrent_gradient_f64 ck_recurrent_gradient_f64_reference

#define T float
#define NAME(base) base##_f32
#include "recurrent_template.inc"

#if !defined(APUS_INFERENCE)
#define T double
#define NAME(base) base##_f64
#include "recurrent_template.inc"
#endif
#include "../vector/end.h"
