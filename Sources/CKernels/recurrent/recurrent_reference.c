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
#define SIGMOID ck_sigmoid_f32
#define TANH tanh
#include "recurrent_template.inc"

/* With integer weights: functions of one definition. */
static float exact_tanh(float x) {
    static const float tops[] = CK_TANH_TOP, bottoms[] = CK_TANH_BOTTOM;
    const float v = x < -8 ? -8 : x > 8 ? 8 : x, square = v * v;
    float top = tops[0], bottom = bottoms[0];
    for (int i = 1; i < 5; i++) top = fmaf(top, square, tops[i]);
    for (int i = 1; i < 4; i++) bottom = fmaf(bottom, square, bottoms[i]);
    return v * top / bottom;
}
static float exact_sigmoid(float x) { return fmaf(0.5f, exact_tanh(0.5f * x), 0.5f); }
static float ck_activate_exact(float x, const ck_activation_params *p) {
    return p->kind == CK_ACT_TANH ? exact_tanh(x) : p->kind == CK_ACT_SIGMOID ? exact_sigmoid(x) : ck_activate_f32(x, p);
}
#define ck_recurrent_exact ck_recurrent_codes_reference
#define ck_recurrent_rows_exact ck_recurrent_rows_f32
#define ck_recurrent_run_exact ck_recurrent_run_f32
#define T float
#define NAME(base) base##_exact
#define SIGMOID exact_sigmoid
#define TANH exact_tanh
#define FORWARD_ALONE
#include "recurrent_template.inc"
#undef FORWARD_ALONE

#if !defined(APUS_INFERENCE)
#define T double
#define NAME(base) base##_f64
#define SIGMOID ck_sigmoid_f64
#define TANH tanh
#include "recurrent_template.inc"
#endif
#include "../vector/end.h"
