/* What is made of e^x, from tables of 32 numbers in two registers; exponential.h has the same functions. Bounds are
 * of every 97th float or more of them. Included by math.h only. */
#ifndef CK_VECTOR_EXPONENTIAL_AVX512_H
#define CK_VECTOR_EXPONENTIAL_AVX512_H
#include "tables.h"

/* table[i mod 32] */
V_INLINE vf v_pick(const float *table, vi i) {
    return _mm512_permutex2var_ps(_mm512_load_ps(table), i, _mm512_load_ps(table + 16));
}
/* c₀ + c₁·z + … of the interval i. */
V_INLINE vf v_pick_polynomial(const float (*c)[32], const int degree, vi i, vf z) {
    vf p = v_pick(c[degree], i);
    _Pragma("clang loop unroll(full)") for (int k = degree - 1; k >= 0; k--) p = v_fma(p, z, v_pick(c[k], i));
    return p;
}

#define V_EXP_SHIFTER 0x1.8p18f /* a sum with it ends at 1/32 */
/* e^(n·ln 2 + r) for k = V_EXP_SHIFTER + n, n a multiple of 1/32, |r| ≤ ln 2 / 64, by a polynomial of degree 3 or 2. */
V_INLINE vf v_exp_join(vf k, vf n, vf r, const int degree) {
    vf t = v_pick(ck_power_table, v_bits(k));
    vf slope = degree == 3 ? v_fma(v_fma(v_set(0x1.555f76p-3f), r, v_set(0.5f)), r, v_set(1.0f))
                           : v_fma(v_set(0.5f), r, v_set(0x1.0000f0p+0f)); /* (e^r − 1) / r */
    return _mm512_scalef_ps(v_fma(v_mul(t, r), slope, t), n);
}
/* e^x for |x| ≤ 104: 1.1 ULP by degree 3, 1.9 by degree 2. */
V_INLINE vf v_exp_bounded(vf x, const int degree) {
    vf k = v_fma(x, v_set(0x1.715476p+0f), v_set(V_EXP_SHIFTER)), n = v_sub(k, v_set(V_EXP_SHIFTER));
    return v_exp_join(k, n, v_fnma(n, v_set(-0x1.05c610p-29f), v_fnma(n, v_set(0x1.62e430p-1f), x)), degree);
}

/* e^x: 1.1 ULP. */
V_INLINE vf v_exp(vf x) { return v_exp_bounded(v_clamp(x, -104.0f, 89.0f), 3); }

/* e^x for x ≤ 0 where the small ones do not count: 0 below −87.3, so that no lane pays for a denormal. */
V_INLINE vf v_exp_negative(vf x) {
    return v_select(v_lt(x, v_set(-87.3f)), v_zero(), v_exp_bounded(v_max(v_set(-87.3f), x), 3));
}

/* 1 / (1 + t) for 0 ≤ t ≤ 1, by a step of Newton's method. */
V_INLINE vf v_logistic(vf t) {
    const vf d = v_add(v_set(1.0f), t), r = _mm512_rcp14_ps(d);
    return v_fma(v_fnma(r, d, v_set(1.0f)), r, r);
}
V_INLINE vm v_negative(vf x) { return _mm512_movepi32_mask(v_bits(x)); } /* the sign bits */

/* 1 / (1 + e^−x): 4 ULP. */
V_INLINE vf v_sigmoid(vf x) {
    const vf t = v_exp_bounded(v_max(v_set(-104.0f), v_neg(v_abs(x))), 2), s = v_logistic(t);
    return _mm512_mask_mul_ps(s, v_negative(x), s, t);
}

/* x·sigmoid(x): 4.1 ULP down to 2^−120, 2^−142 absolute below. */
V_INLINE vf v_silu(vf x) {
    const vf low = _mm512_range_ps(x, v_set(104.0f), 0xe) /* −min(|x|, 104) */, t = v_exp_bounded(low, 2);
    return v_mul(_mm512_mask_mul_ps(x, v_negative(x), low, t), v_logistic(t));
}

/* tanh x: 1.5 ULP, by polynomials on the quarters of octaves of |x| from 1/8 to 10, and one below. */
V_INLINE vf v_tanh(vf x) {
    vf a = v_min(v_set(9.9f), v_abs(x));
    vi i = _mm512_max_epi32(vi_shr(v_bits(a), 21), vi_set((0x3e000000 >> 21) - 1));
    return v_copysign(v_pick_polynomial(ck_tanh_table + 1, 5, i, v_sub(a, v_pick(ck_tanh_table[0], i))), x);
}

/* The lower tail of the normal distribution, Φ(−a) for a ≥ 0, as density · ratio (Mills' ratio over √2π):
 * *density = e^(−a²/2); ratio by polynomials on the eighths of octaves of 1 + a. Only a ≤ 14.5 counts. */
V_INLINE vf v_normal_tail(vf a, vf *density) {
    a = v_min(v_set(14.5f), a);
    vf h = v_mul(v_set(-0.5f), a), k = v_fma(v_mul(a, h), v_set(0x1.715476p+0f), v_set(V_EXP_SHIFTER));
    vf n = v_sub(k, v_set(V_EXP_SHIFTER)), hi = v_mul(n, v_set(0x1.62cp-1f)) /* exact */;
    *density = v_exp_join(k, n, v_fnma(n, v_set(0x1.217f7ep-12f), v_fma(a, h, v_neg(hi))), 3);
    const vf above = v_add(v_set(1.0f), a);
    const vi bits = v_bits(above), i = vi_shr(bits, 20);
    const vf middle = v_from_bits(vi_or(vi_and(bits, vi_set((int32_t)0xfff00000)), vi_set(0x00080000)));
    return v_pick_polynomial(ck_mills_table, 4, i, v_sub(above, middle));
}
#endif
