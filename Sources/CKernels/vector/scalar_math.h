/* The activations as plain formulas over libm: the definitions that the vector forms approximate.
 *
 * ck_activate_f32 and ck_activate_f64 apply p to x. Every function takes its limit at ±inf (gelu(−inf) is
 * −0, not NaN) and passes NaN on. With <tgmath.h>, exp(x) below is expf for a float. */
#ifndef CK_SCALAR_MATH_H
#define CK_SCALAR_MATH_H

#include "../include/ck.h"
#include <tgmath.h>

#pragma STDC FP_CONTRACT OFF

/* sigmoid  1 / (1 + e^−x)                       both branches take e to a negative power: no overflow
 * softplus max(x, 0) + log(1 + e^−|x|)
 * activate ck_activation `kind` of x; leaky_relu and elu use alpha, clip uses alpha ..= beta
 *   gelu       x · Φ(x) = x/2 · erfc(−x/√2)     (Hendrycks & Gimpel 2016)
 *   gelu_tanh  x · sigmoid(2·√(2/π)·(x + 0.044715·x³)), which is x/2 · (1 + tanh(…))
 *   hard_swish x · min(max(x + 3, 0), 6) / 6    (Howard et al. 2019)
 * Where x times 0 would meet −inf, x stops at a bound past which the product is −0 anyway. */
#define CK_DEFINE_ACTIVATIONS(real, suffix)                                                              \
    static inline real ck_sigmoid_##suffix(real x) {                                                     \
        real t = exp(-fabs(x));                                                                          \
        return (x < 0 ? t : 1) / (1 + t);                                                                \
    }                                                                                                    \
    static inline real ck_softplus_##suffix(real x) { return (x > 0 ? x : 0) + log1p(exp(-fabs(x))); }   \
    static inline real ck_activation_##suffix(int kind, real x, real alpha, real beta) {                 \
        real low = x < -1000 ? -1000 : x, lower = x < -40 ? -40 : x, six;                                \
        switch (kind) {                                                                                  \
        case CK_ACT_RELU: return x < 0 ? 0 : x;                                                          \
        case CK_ACT_RELU6: return x < 0 ? 0 : x > 6 ? 6 : x;                                             \
        case CK_ACT_LEAKY_RELU: return x < 0 ? alpha * x : x;                                            \
        case CK_ACT_ELU: return x > 0 ? x : alpha * expm1(x);                                            \
        case CK_ACT_SIGMOID: return ck_sigmoid_##suffix(x);                                              \
        case CK_ACT_TANH: return tanh(x);                                                                \
        case CK_ACT_GELU: return (real)0.5 * lower * erfc(lower * (real)-0.70710678118654752440);        \
        case CK_ACT_GELU_TANH:                                                                           \
            return lower * ck_sigmoid_##suffix(lower * ((real)1.5957691216057307118 +                    \
                                                        (real)0.071354816272600246 * lower * lower));    \
        case CK_ACT_SILU: return low * ck_sigmoid_##suffix(low);                                         \
        case CK_ACT_HARD_SWISH:                                                                          \
            six = x + 3 < 0 ? 0 : x + 3 > 6 ? 6 : x + 3;                                                 \
            return (x < -3 ? -3 : x) * (six * (real)(1.0 / 6));                                          \
        case CK_ACT_SOFTPLUS: return ck_softplus_##suffix(x);                                            \
        case CK_ACT_CLIP: x = x < alpha ? alpha : x; return x > beta ? beta : x;                         \
        default: return x;                                                                               \
        }                                                                                                \
    }

CK_DEFINE_ACTIVATIONS(float, f32)
CK_DEFINE_ACTIVATIONS(double, f64)

static inline float ck_activate_f32(float x, const ck_activation_params *p) {
    return ck_activation_f32(p->kind, x, p->alpha, p->beta);
}
static inline double ck_activate_f64(double x, const ck_activation_params *p) {
    return ck_activation_f64(p->kind, x, (double)p->alpha, (double)p->beta);
}

#endif
