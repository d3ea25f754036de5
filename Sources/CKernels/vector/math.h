/* Functions of one vector, in the vocabulary of avx2.h and avx512.h, of which one is included before this.
 *
 * Every bound is the largest error in units in the last place over all floats (over all pairs tried, for
 * v_pow), denormal results included. Each function takes its limit at ±0 and ±inf, overflows to inf,
 * and passes NaN on. A lane's result depends on that lane alone. Polynomials are minimax fits made for
 * this folder. */
#ifndef CK_VECTOR_MATH_H
#define CK_VECTOR_MATH_H
#if defined(CK_HAVE_ISA)

#include "../include/ck.h"
#include <math.h>

#define V_LN2_HI 0x1.62e4p-1f /* 15 bits: n·V_LN2_HI is exact for |n| < 512 */
#define V_LN2_LO 0x1.7f7d1cp-20f

/* min(max(x, lo), hi), NaN where x is. */
V_INLINE vf v_clamp(vf x, float lo, float hi) { return v_min(v_set(hi), v_max(v_set(lo), x)); }

/* n = round(x / ln 2); returns the rest r = x − n·ln 2, |r| ≤ ln 2 / 2. */
V_INLINE vf v_exp_reduce(vf x, vf *n) {
    *n = v_round(v_mul(x, v_set(0x1.715476p+0f)));
    return v_fnma(*n, v_set(V_LN2_LO), v_fnma(*n, v_set(V_LN2_HI), x));
}
/* e^r − 1 for |r| ≤ ln 2 / 2, in few steps one after another. */
V_INLINE vf v_expm1_rest(vf r) {
    vf square = v_mul(r, r), low = v_fma(v_set(0x1.5554aap-3f), r, v_set(0.5f));
    vf high = v_fma(v_set(0x1.122c52p-7f), r, v_set(0x1.555538p-5f));
    high = v_fma(v_set(0x1.6cd790p-10f), square, high);
    return v_fma(v_fma(high, square, low), square, r);
}

#if V_WIDTH == 16
#include "exponential_avx512.h"
#else
#include "exponential.h"
#endif

/* e^x − 1 for x ≤ 0: 1 ULP. */
V_INLINE vf v_expm1_negative(vf x) {
    vf n, r = v_exp_reduce(v_max(v_set(-30.0f), x), &n);
    vf scale = v_ldexp(v_set(1.0f), n);
    return v_select(v_eq(x, v_zero()), x, v_fma(v_expm1_rest(r), scale, v_sub(scale, v_set(1.0f))));
}

/* n·ln 2 + log(1 + f) for f in [√½ − 1, √2 − 1]. */
V_INLINE vf v_log_parts(vf n, vf f) {
    vf p = v_fma(v_set(0x1.599048p-5f), f, v_set(-0x1.a71892p-4f));
    p = v_fma(p, f, v_set(0x1.f7cd72p-4f));
    p = v_fma(p, f, v_set(-0x1.035834p-3f));
    p = v_fma(p, f, v_set(0x1.22c9acp-3f));
    p = v_fma(p, f, v_set(-0x1.550a7ep-3f));
    p = v_fma(p, f, v_set(0x1.99a6b0p-3f));
    p = v_fma(p, f, v_set(-0x1.0000c8p-2f));
    p = v_fma(p, f, v_set(0x1.555546p-2f));
    vf square = v_mul(f, f);
    vf low = v_fma(n, v_set(V_LN2_LO), v_mul(square, v_fma(p, f, v_set(-0.5f))));
    return v_fma(n, v_set(V_LN2_HI), v_add(f, low));
}
/* x = m·2^n with m in [√½, √2), for finite x > 0; returns m. */
V_INLINE vf v_log_reduce(vf x, vf *n) {
    vm denormal = v_lt(x, v_set(0x1p-126f));
    vi bits = v_bits(v_select(denormal, v_mul(x, v_set(0x1p23f)), x)), root = vi_set(0x3f3504f3);
    vi distance = vi_sub(bits, root);
    *n = v_sub(vi_to_float(vi_sar(distance, 23)), v_select(denormal, v_set(23.0f), v_zero()));
    return v_from_bits(vi_add(vi_and(distance, vi_set(0x007fffff)), root));
}

/* log x: 1 ULP; −inf at ±0, NaN below. */
V_INLINE vf v_log(vf x) {
    vf n, m = v_log_reduce(x, &n);
    vf y = v_log_parts(n, v_sub(m, v_set(1.0f)));
    vf edge = v_select(v_eq(x, v_zero()), v_set(-INFINITY), v_select(v_lt(x, v_zero()), v_set(NAN), x));
    return v_select(vm_and(v_gt(x, v_zero()), v_lt(x, v_set(INFINITY))), y, edge);
}

/* log(1 + t) for t in [0, 1]. */
V_INLINE vf v_log1p_unit(vf t) {
    vm upper = v_gt(t, v_set(0x1.a82798p-2f)); /* √2 − 1: halve 1 + t */
    vf f = v_select(upper, v_mul(v_sub(t, v_set(1.0f)), v_set(0.5f)), t);
    return v_log_parts(v_select(upper, v_set(1.0f), v_zero()), f);
}

/* log(1 + e^x): 2.4 ULP. */
V_INLINE vf v_softplus(vf x) {
    return v_add(v_max(v_zero(), x), v_log1p_unit(v_exp(v_neg(v_abs(x)))));
}

/* erf x: 1.1 ULP. Beyond 1, from a fit of log(erfc |x|). */
V_INLINE vf v_erf(vf x) {
    vf a = v_abs(x), s = v_mul(x, x), b = v_min(v_set(4.0f), a);
    vf p = v_fma(v_set(0x1.4771fep-14f), s, v_set(-0x1.a3515ep-11f));
    p = v_fma(p, s, v_set(0x1.53f224p-8f));
    p = v_fma(p, s, v_set(-0x1.b7f71ap-6f));
    p = v_fma(p, s, v_set(0x1.ce2ce6p-4f));
    p = v_fma(p, s, v_set(-0x1.81273ep-2f));
    p = v_fma(p, s, v_set(0x1.06eba8p-3f));
    vf small = v_fma(p, x, x);
    vf q = v_fma(v_set(-0x1.6bceb6p-16f), b, v_set(0x1.cebf62p-12f));
    q = v_fma(q, b, v_set(-0x1.138adap-8f));
    q = v_fma(q, b, v_set(0x1.9d01ecp-6f));
    q = v_fma(q, b, v_set(-0x1.bc14bep-4f));
    q = v_fma(q, b, v_set(-0x1.44356ep-1f));
    q = v_fma(q, b, v_set(-0x1.212c0cp+0f));
    q = v_fma(q, b, v_set(0x1.8a574cp-13f));
    vf large = v_neg(v_expm1_negative(q));
    return v_select(v_lt(a, v_set(1.0f)), small, v_copysign(large, x));
}

/* max(0, x) − |x|·Φ(−|x|), the exact GELU: 5 ULP. */
V_INLINE vf v_gelu(vf x) {
    vf density, a = v_min(v_set(14.5f), v_abs(x)), ratio = v_normal_tail(a, &density);
    return v_sub(v_max(v_zero(), x), v_mul(v_mul(a, density), ratio));
}

/* x·sigmoid(v), v = 2·√(2/π)·(x + 0.044715·x³): 3 ULP above −1, 30 above −5; beyond, v's
 * rounding counts ever more. */
V_INLINE vf v_gelu_tanh(vf x) {
    vf low = v_max(v_set(-40.0f), x), cubic = v_set(0x1.2444f2p-4f), linear = v_set(0x1.988454p+0f);
    return v_mul(low, v_sigmoid(v_mul(low, v_fma(v_mul(cubic, low), low, linear))));
}

/* x·min(max(x + 3, 0), 6) / 6, the bits of the reference. */
V_INLINE vf v_hard_swish(vf x) {
    vf six = v_clamp(v_add(x, v_set(3.0f)), 0.0f, 6.0f);
    return v_mul(v_max(v_set(-3.0f), x), v_mul(six, v_set((float)(1.0 / 6))));
}

/* x above 0, else alpha·(e^x − 1): 1 ULP for alpha = 1. */
V_INLINE vf v_elu(vf x, float alpha) {
    return v_select(v_gt(x, v_zero()), x, v_mul(v_set(alpha), v_expm1_negative(v_min(v_zero(), x))));
}

/* log x as *high + *low with about 31 bits, for x in [0, inf]; NaN where x is.
 * log m = 2·atanh(s), s = (m − 1)/(m + 1) carried with its remainder. */
V_INLINE void v_log_pair(vf x, vf *high, vf *low) {
    vf n, m = v_log_reduce(x, &n), one = v_set(1.0f);
    vf top = v_sub(m, one), bottom = v_add(m, one), bottom_low = v_sub(m, v_sub(bottom, one));
    vf s = v_div(top, bottom), s_low = v_div(v_fnma(s, bottom_low, v_fnma(s, bottom, top)), bottom);
    vf square = v_mul(s, s);
    vf p = v_fma(v_set(0x1.f13b22p-3f), square, v_set(0x1.23d3e0p-2f));
    p = v_fma(p, square, v_set(0x1.999c26p-2f));
    p = v_fma(p, square, v_set(0x1.555554p-1f));
    vf rest = v_fma(v_mul(s, square), p, v_fma(n, v_set(V_LN2_LO), v_add(s_low, s_low)));
    vf large = v_mul(n, v_set(V_LN2_HI)), small = v_add(s, s), sum = v_add(large, small);
    vf sum_low = v_add(v_sub(large, v_sub(sum, v_sub(sum, large))), v_sub(small, v_sub(sum, large)));
    rest = v_add(rest, sum_low);
    *high = v_add(sum, rest);
    *low = v_sub(rest, v_sub(*high, sum));
    vm finite = vm_and(v_gt(x, v_zero()), v_lt(x, v_set(INFINITY)));
    *high = v_select(finite, *high, v_select(v_eq(x, v_zero()), v_set(-INFINITY), x));
    *low = v_select(finite, *low, v_zero());
}

/* x^y with the special cases of C's pow: 4 ULP. */
V_INLINE vf v_pow(vf x, vf y) {
    vf high, low, n, a = v_abs(x), one = v_set(1.0f), zero = v_zero();
    v_log_pair(a, &high, &low);
    vf t = v_mul(y, high), t_low = v_fma(y, low, v_fma(y, high, v_neg(t)));
    t_low = v_select(v_lt(v_abs(t), v_set(200.0f)), t_low, zero);
    vf r = v_add(v_exp_reduce(v_clamp(t, -110.0f, 90.0f), &n), t_low);
    vf power = v_ldexp(v_add(v_expm1_rest(r), one), n);

    vf half = v_mul(y, v_set(0.5f));
    vm whole = v_eq(v_round(y), y), odd = vm_and(whole, v_ne(v_floor(half), half));
    power = v_select(odd, v_copysign(power, x), power);
    vm negative = vm_and(v_lt(x, zero), v_gt(x, v_set(-INFINITY)));
    power = v_select(vm_andnot(whole, negative), v_set(NAN), power);
    power = v_select(vm_or(v_isnan(x), v_isnan(y)), v_add(x, y), power);
    power = v_select(vm_and(v_eq(a, one), v_eq(v_abs(y), v_set(INFINITY))), one, power);
    return v_select(vm_or(v_eq(x, one), v_eq(y, zero)), one, power);
}

/* sin x and cos x for |x| ≤ V_TRIG_LIMIT: 1.7 ULP; unspecified outside. */
#define V_TRIG_LIMIT 32768.0f
V_INLINE void v_sincos(vf x, vf *sine, vf *cosine) {
    vf n = v_round(v_mul(x, v_set(0x1.45f306p-1f)));
    vf r = v_fnma(n, v_set(0x1.921fb4p+0f), x); /* π/2 in three parts */
    vf r1 = v_fnma(n, v_set(0x1.4442d0p-24f), r);
    r = v_fnma(n, v_set(0x1.846988p-48f), r1);
    vf s = v_mul(r, r);
    vf p = v_fma(v_set(-0x1.9955b6p-13f), s, v_set(0x1.11077cp-7f));
    p = v_fma(p, s, v_set(-0x1.555546p-3f));
    vf sin_r = v_fma(v_mul(p, s), r, r);
    vf q = v_fma(v_set(0x1.9a685ap-16f), s, v_set(-0x1.6c0e30p-10f));
    q = v_fma(q, s, v_set(0x1.55554ep-5f));
    vf cos_r = v_fma(v_mul(q, s), s, v_fma(v_set(-0.5f), s, v_set(1.0f)));
    vi quarter = v_to_int(n), sign = vi_set((int32_t)0x80000000u);
    vm swap = v_ne(vi_to_float(vi_and(quarter, vi_set(1))), v_zero());
    vi sin_sign = vi_and(vi_shl(quarter, 30), sign);
    vi cos_sign = vi_and(vi_shl(vi_add(quarter, vi_set(1)), 30), sign);
    *sine = v_from_bits(vi_xor(v_bits(v_select(swap, cos_r, sin_r)), sin_sign));
    *cosine = v_from_bits(vi_xor(v_bits(v_select(swap, sin_r, cos_r)), cos_sign));
}

/* sin x and cos x for every x: 1.7 ULP. Lanes beyond V_TRIG_LIMIT ask libm one by one. */
V_INLINE vf v_trig_beyond(vf x, vf y, float (*scalar)(float)) {
    vm near = v_le(v_abs(x), v_set(V_TRIG_LIMIT));
    vm far = vm_andnot(near, v_eq(v_zero(), v_zero()));
    if (__builtin_expect(vm_any(far), 0)) {
        float lanes[V_WIDTH];
        v_store(lanes, x);
        for (int i = 0; i < V_WIDTH; i++) lanes[i] = scalar(lanes[i]);
        y = v_select(far, v_load(lanes), y);
    }
    return y;
}
V_INLINE vf v_sin(vf x) {
    vf sine, cosine;
    v_sincos(x, &sine, &cosine);
    return v_trig_beyond(x, v_select(v_eq(x, v_zero()), x, sine), sinf);
}
V_INLINE vf v_cos(vf x) {
    vf sine, cosine;
    v_sincos(x, &sine, &cosine);
    return v_trig_beyond(x, cosine, cosf);
}

/* The activation p of x. ReLU, ReLU6, leaky ReLU, hard swish and clip give the bits of the reference. */
V_INLINE vf v_activate(vf x, const ck_activation_params *p) {
    switch (p->kind) {
    case CK_ACT_RELU: return v_max(v_zero(), x);
    case CK_ACT_RELU6: return v_clamp(x, 0.0f, 6.0f);
    case CK_ACT_LEAKY_RELU: return v_select(v_lt(x, v_zero()), v_mul(v_set(p->alpha), x), x);
    case CK_ACT_ELU: return v_elu(x, p->alpha);
    case CK_ACT_SIGMOID: return v_sigmoid(x);
    case CK_ACT_TANH: return v_tanh(x);
    case CK_ACT_GELU: return v_gelu(x);
    case CK_ACT_GELU_TANH: return v_gelu_tanh(x);
    case CK_ACT_SILU: return v_silu(x);
    case CK_ACT_HARD_SWISH: return v_hard_swish(x);
    case CK_ACT_SOFTPLUS: return v_softplus(x);
    case CK_ACT_CLIP: return v_clamp(x, p->alpha, p->beta);
    default: return x;
    }
}
/* y[i] = act(y[i]) for i in 0 ..< n, where the kind is known at run time alone; elementwise/unary_vector.inc. */
void V_ISA_NAME(ck_activate)(const ck_activation_params *act, float *y, size_t n);

#endif
#endif
